package run

import (
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Folder is a stored run.
type Folder struct {
	Dir      string
	Meta     Meta
	Scenario scenario.Scenario
	Resolved string // the scenario, as it was stored
	Events   []record.Event
	Marks    record.Marks
	Polls    []record.Poll

	instrument *instrument
}

// Open reads a stored run, but for its samples and its acknowledged writes. The run may be of another gameday: what
// this one does not know is left out, and a newer schema is an error.
func Open(dir string) (Folder, error) {
	f := Folder{Dir: dir}
	data, err := folder.ReadFile(dir, MetaFile)
	if err != nil {
		return f, fmt.Errorf("read run %s: %w", filepath.Base(dir), err)
	}
	if err := record.Decode(data, MetaSchema, &f.Meta); err != nil {
		return f, fmt.Errorf("read run %s: %s: %w", filepath.Base(dir), MetaFile, err)
	}
	data, err = folder.ReadFile(dir, ScenarioFile)
	f.Resolved = string(data)
	if err == nil {
		f.Scenario, err = scenario.LoadStored("scenario of run "+filepath.Base(dir), data)
	}
	if err != nil {
		return f, fmt.Errorf("read run %s: %w", filepath.Base(dir), err)
	}
	if f.Events, err = record.Events(dir); err != nil {
		return f, err
	}
	f.Marks = record.MarksOf(f.Events)
	if f.instrument, err = readInstrument(dir, f.Marks[record.MarkBaseline]); err != nil {
		return f, err
	}
	f.Polls, err = record.Polls(dir)
	return f, err
}

// Case is a journey of the run as pkg/verdict takes it.
type Case struct {
	Journey  string
	Client   probe.Client // of the users; the zero Client if the journey says how they connect
	Critical bool
	// WarmUp are the users of before the baseline, who are in no phase.
	WarmUp []verdict.Sample
	// Void is how many users are not judged: they came in the spans in which the load
	// generator itself was late or bad. These are since the baseline's mark.
	Void      int
	VoidSpans []Span
	verdict.Case
}

// Cases reads the samples, and puts them with the marks for every journey.
// Where no fault was ordered, the whole run is baseline. on, if not nil, is given
// each sample of a phase on the way: a long run is read once.
func (f Folder) Cases(on func(record.Sample)) ([]Case, error) {
	if on == nil {
		on = func(record.Sample) {}
	}
	origin, began := f.Marks[record.MarkBaseline]
	marks := f.marks(origin)
	err := marks.Check()
	if !began {
		err = fmt.Errorf("found no mark %q, from which times count", record.MarkBaseline)
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s: %s: %w", filepath.Base(f.Dir), record.EventsFile, err)
	}
	cases := make([]Case, len(f.Scenario.Load))
	index := map[string]int{}
	for i, l := range f.Scenario.Load {
		index[l.Name()] = i
		cases[i] = Case{Journey: l.Name(), Client: l.Client(), Critical: l.Critical, VoidSpans: f.voidSpans(l.Name(), origin), Case: caseOf(f.Scenario, l, marks)}
	}
	var bounds verdict.Bounds
	for s, err := range record.Samples(f.Dir, record.SamplesFile) {
		if err != nil {
			return nil, err
		}
		i, ok := index[s.Journey]
		judged := judgedSample(s, origin)
		if !ok {
			on(s)
			continue
		}
		if wrong := bounds.Check(judged); wrong != nil {
			return nil, fmt.Errorf("read samples of run %s: user %d of journey %s, who arrived at %s: %w",
				filepath.Base(f.Dir), s.Seq, s.Journey, s.Sent.Format(time.RFC3339Nano), wrong)
		}
		if judged.Done() <= 0 {
			cases[i].WarmUp = append(cases[i].WarmUp, judged)
			continue
		}
		if voided(judged, cases[i].VoidSpans) {
			cases[i].Void++
			continue
		}
		on(s)
		cases[i].Samples = verdict.Append(cases[i].Samples, judged)
	}
	for _, c := range cases {
		verdict.Sort(c.Samples)
	}
	return cases, nil
}

// judgedSample is a sample as pkg/verdict takes it.
func judgedSample(s record.Sample, origin time.Time) verdict.Sample {
	return verdict.Sample{Seq: uint32(s.Seq), Sent: s.Sent.Sub(origin), Latency: s.Latency, Failed: s.Failed(), Retried: s.Retries > 0} //nolint:gosec // G115: more samples are not judged together
}

func (f Folder) marks(origin time.Time) verdict.Marks {
	at, injected := f.Marks[record.MarkFault]
	if !injected {
		if at, injected = f.Marks[record.MarkEnd]; !injected { // lost in a power cut
			return verdict.Marks{Fault: verdict.MaxSpan}
		}
		return verdict.Marks{Fault: at.Sub(origin)}
	}
	m := verdict.Marks{Fault: at.Sub(origin)}
	if end, ok := f.FaultEnded(); ok {
		m.Reverted, m.Revert = true, end.Sub(origin)
	}
	return m
}

// FaultEnded is when the fault was over, if it was: with its revert, or when something else
// ended it before. If people recover service, ending the fault is a part of that.
func (f Folder) FaultEnded() (at time.Time, ok bool) {
	revert, reverted := f.Marks[record.MarkRevert]
	lost, ended := f.Marks[record.MarkLost]
	if ended && (!reverted || f.Meta.ByHand == nil && lost.Before(revert)) {
		return lost, true
	}
	return revert, reverted
}

// lostByHand is when a fault was last seen in force that ended while people recovered service.
func (f Folder) lostByHand() (time.Duration, bool) {
	at, lost := f.Marks[record.MarkLost]
	return at.Sub(f.Marks[record.MarkBaseline]), lost && f.Meta.ByHand != nil
}

// Judge judges a stored run, from its folder alone. The cases are those that
// the verdict rests on; on is given each sample on the way.
func (f Folder) Judge(on func(record.Sample)) (verdict.Run, []Case, error) {
	cases, err := f.Cases(on)
	if err != nil {
		return verdict.Run{}, nil, err
	}
	journeys := make([]verdict.Journey, len(cases))
	for i, c := range cases {
		journeys[i] = verdict.Journey{Name: c.Journey, Critical: c.Critical, Verdict: verdict.Judge(c.Case)}
		// A fault that was over before users met it has shown nothing, also if people have ended it.
		if lost, ok := f.lostByHand(); ok && journeys[i].State == verdict.Unaffected {
			c.Marks.Reverted, c.Marks.Revert = true, lost
			journeys[i].Verdict = verdict.Judge(c.Case)
		}
	}
	_, lost := f.lostByHand()
	evidence := verdict.Evidence{NotCalibrated: f.notCalibrated(), NotKept: f.Meta.NotKept != "", NotInForce: f.Meta.NotInForce || lost, NotFelt: f.Meta.NotFelt, Aborted: f.Meta.Aborted != ""}
	if evidence.Conditions, err = f.conditions(); err != nil {
		return verdict.Run{}, nil, err
	}
	if rpo := f.Scenario.Objective.RPO; rpo != nil && f.Meta.Confirmed {
		ordered, inForce := f.Marks[record.MarkFault], f.Marks[record.MarkFault]
		if at, ok := f.Marks[record.MarkInForce]; ok {
			inForce = at
		}
		origin := f.Marks[record.MarkBaseline]
		var failed error
		writes := verdict.JudgeWrites(f.judgedAcks(&failed), ordered.Sub(origin), inForce.Sub(origin), *rpo)
		if failed != nil {
			return verdict.Run{}, nil, failed
		}
		evidence.Writes = &writes
	}
	return verdict.Combine(journeys, evidence), cases, nil
}

// judgedAcks are the acknowledged writes as pkg/verdict takes them: there may be millions,
// so they are not in memory. An error ends them.
func (f Folder) judgedAcks(failed *error) iter.Seq[verdict.Ack] {
	presences := map[string]verdict.Presence{"present": verdict.Present, "absent": verdict.Absent}
	return func(yield func(verdict.Ack) bool) {
		for a, err := range record.Acks(f.Dir) {
			judged := verdict.Ack{At: a.At.Sub(f.Marks[record.MarkBaseline]), Presence: presences[a.Presence]}
			if err == nil {
				if err = verdict.CheckMoment(judged.At); err != nil {
					err = fmt.Errorf("read run %s: %s: write %s was acknowledged at %s: %w",
						filepath.Base(f.Dir), record.WritesFile, a.ID, a.At.Format(time.RFC3339Nano), err)
				}
			}
			if *failed = err; err != nil || !yield(judged) {
				return
			}
		}
	}
}
