package verdict

import "time"

// Presence is what the look-up of an acknowledged write found after repair.
type Presence uint8

// The presences. Unconfirmed is never loss and never proof.
const (
	Unconfirmed Presence = iota // no definite answer, or two that differ
	Present
	Absent
)

// Ack is a write that the system acknowledged: the success was read to its end.
type Ack struct {
	At       time.Duration // when, on the scale of [Marks]
	Presence Presence
}

// Writes is what became of the acknowledged writes of a run.
type Writes struct {
	RPO          Seconds  `json:"rpo_s"`
	Acknowledged int      `json:"acknowledged"`
	Lost         int      `json:"lost"`        // acknowledged, and absent after repair
	Unconfirmed  int      `json:"unconfirmed"` // could not be looked up
	LossSpan     *Seconds `json:"loss_span_s"` // from the first to the last lost one, the fault in between or at an edge
	SplitBrain   bool     `json:"split_brain"` // one was acknowledged after the fault was in force, and lost
	Missed       bool     `json:"missed"`      // more lost than the RPO allows
	Observed     bool     `json:"observed"`    // enough was written to say that the RPO was met
}

// JudgeWrites compares lost writes with the RPO. A loss spans from the first
// lost acknowledgement or the fault, whichever came first, to the last one or
// the fault, whichever came later. That an RPO was met is only observed where
// nothing is unconfirmed and a write was acknowledged in the second before the
// span that the RPO allows to lose. The fault was ordered at one moment and seen in
// force at another, or the same: only a write acknowledged after that was
// acknowledged by somebody who was cut off.
func JudgeWrites(acks []Ack, fault, inForce, rpo time.Duration) Writes {
	w := Writes{RPO: Seconds(rpo), Acknowledged: len(acks)}
	first, last := fault, fault
	fresh := false
	for _, a := range acks {
		age := fault - a.At
		fresh = fresh || age >= 0 && age <= rpo+time.Second
		switch a.Presence {
		case Unconfirmed:
			w.Unconfirmed++
		case Absent:
			w.Lost++
			w.SplitBrain = w.SplitBrain || a.At > inForce
			first, last = min(first, a.At), max(last, a.At)
		case Present:
		}
	}
	if w.Lost > 0 {
		w.LossSpan = seconds(last - first)
		w.Missed = rpo == 0 || last-first > rpo
	}
	w.Observed = fresh && w.Unconfirmed == 0
	return w
}
