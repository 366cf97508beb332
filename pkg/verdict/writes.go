package verdict

import (
	"iter"
	"time"
)

// Presence is whether an acknowledged write was found after repair.
type Presence uint8

// The presences. An unconfirmed write counts neither as lost nor as present.
const (
	Unconfirmed Presence = iota // no definite answer, or two different ones
	Present
	Absent
)

// Ack is a write that the system acknowledged: its response was read completely.
type Ack struct {
	At       time.Duration // when, on the scale of [Marks]
	Presence Presence
}

// Writes is the result of looking up the acknowledged writes of a run.
type Writes struct {
	RPO          Seconds  `json:"rpo_s"`
	Acknowledged int      `json:"acknowledged"`
	Lost         int      `json:"lost"`        // acknowledged, and absent after repair
	Unconfirmed  int      `json:"unconfirmed"` // the lookup gave no definite answer
	LossSpan     *Seconds `json:"loss_span_s"` // from the first to the last lost write, extended to the fault
	SplitBrain   bool     `json:"split_brain"` // a lost write was acknowledged after the fault was in force
	Missed       bool     `json:"missed"`      // the RPO was missed
	Observed     bool     `json:"observed"`    // enough writes were confirmed to check the RPO
	// Unproven reports that the look-up was not shown to work: it denied writes of well
	// before the fault too. What it denied is unconfirmed.
	Unproven bool `json:"look_up_unproven,omitempty"`
}

// JudgeWrites compares lost writes with the RPO.
//
// A loss spans from the first lost write or the fault, whichever is earlier, to the
// last lost write or the fault, whichever is later. The RPO counts as observed only if
// no write is unconfirmed, and if a write was acknowledged within the RPO plus one
// second before the fault.
//
// A look-up must first be shown to work, or no write counts as lost: see [Writes.Unproven].
//
// fault is when the fault was ordered, inForce when it was seen in force. A lost write
// means split brain only if it was acknowledged after inForce: before that, the
// component that acknowledged it may not have been cut off yet.
func JudgeWrites(acks iter.Seq[Ack], fault, inForce, rpo time.Duration) Writes {
	w := Writes{RPO: Seconds(rpo)}
	var look lookUp
	lost, first, last := 0, fault, fault
	fresh, split := false, false
	for a := range acks {
		w.Acknowledged++
		look.add(a, fault)
		age := fault - a.At
		fresh = fresh || age >= 0 && age <= rpo+time.Second
		switch a.Presence {
		case Unconfirmed:
			w.Unconfirmed++
		case Absent:
			lost++
			split = split || a.At > inForce
			first, last = min(first, a.At), max(last, a.At)
		case Present:
		}
	}
	if w.Unproven = !look.works(); w.Unproven {
		w.Unconfirmed += lost
	} else if w.Lost = lost; lost > 0 {
		w.SplitBrain = split
		w.LossSpan = seconds(last - first)
		w.Missed = rpo == 0 || last-first > rpo
	}
	w.Observed = fresh && w.Unconfirmed == 0
	return w
}

// wellBefore is how long before the fault a write is safe from it.
const wellBefore = 10 * time.Second

// found is the ratio of writes of well before the fault that a look-up must find.
const found = 0.99

// lookUp counts what shows that a look-up of writes works.
type lookUp struct {
	present, absent   int
	before, old       int // writes of before the fault; of well before it
	denied, deniedOld int // those of them that are absent
}

func (l *lookUp) add(a Ack, fault time.Duration) {
	switch a.Presence {
	case Present:
		l.present++
	case Absent:
		l.absent++
	case Unconfirmed:
	}
	if a.At >= fault {
		return
	}
	absent := 0
	if a.Presence == Absent {
		absent = 1
	}
	l.before++
	l.denied += absent
	if a.At < fault-wellBefore {
		l.old++
		l.deniedOld += absent
	}
}

// works reports whether the look-up finds nearly all writes of well before the fault,
// or of all before it if these are fewer than [MinSamples]. A look-up that denies none has
// nothing to show.
func (l *lookUp) works() bool {
	n, denied := l.old, l.deniedOld
	if n < MinSamples {
		n, denied = l.before, l.denied
	}
	return l.absent == 0 || l.present > 0 && n > 0 && denied <= Allowance(n, found)
}
