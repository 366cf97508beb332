package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

func judgeCommand() *cli.Command {
	return &cli.Command{
		Name:      "judge",
		Usage:     "judge existing results of vegeta, k6 or JMeter",
		ArgsUsage: "RESULTS...",
		Description: "RESULTS are files of `vegeta attack` or `vegeta encode` (gob, CSV or JSON), of k6 (--out json, or --out csv with\n" +
			"K6_CSV_TIME_FORMAT=unix_milli) or of JMeter (JTL in CSV or XML), gzipped or not; or a pipe, such as /dev/stdin.\n" +
			"They have at most 10 million results, of up to 16 MiB each. Users of k6 and JMeter wait for answers, which hides\n" +
			"parts of an outage: the verdict is inconclusive if the load fell during the fault.\n" +
			"TIME is Unix nanoseconds, RFC 3339, or an offset such as +12.5s from the first sample.\n\n" + exitCodeHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "fault-at", Required: true, Usage: "`TIME` of the injection"},
			&cli.StringFlag{Name: "revert-at", Usage: "`TIME` of the revert (default: no revert)"},
			&cli.DurationFlag{Name: "rto", Required: true, Usage: "recovery time objective"},
			&cli.StringFlag{Name: "good", Value: "99%", Usage: "required `RATIO` of good samples"},
			&cli.DurationFlag{Name: "within", Value: verdict.DefaultWithin, Usage: "maximum latency of a good sample"},
			&cli.DurationFlag{Name: "window", Value: verdict.DefaultWindow, Usage: "window in which breaches are detected"},
			&cli.DurationFlag{Name: "hold", Value: verdict.DefaultHold, Usage: "how long service must stay good to count as recovered"},
			&cli.StringFlag{Name: "rate", Usage: "declared `RATE`, for example 50/s (default: estimated from the samples)"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document"},
		},
		Action: judge,
	}
}

func judge(c *cli.Context) error {
	if !c.Args().Present() {
		return usageError("no result file given: gameday judge RESULTS... --fault-at TIME --rto 30s")
	}
	read, err := readResults(c.Args().Slice())
	if err != nil {
		return err
	}
	first := read.first
	cases, err := judgeCase(c, read)
	if err != nil {
		return err
	}
	figures := make(chan report.Load, 1)
	go func() { figures <- report.LoadOf("results", cases) }() // at the same time: both take a while for millions of samples
	v := verdict.Judge(cases)
	r := report.Report{
		Schema: report.Schema, Scenario: strings.Join(c.Args().Slice(), ", "), Objective: report.ObjectiveOf(cases.Objective, nil),
		Run: verdict.Combine([]verdict.Journey{{Name: "results", Critical: true, Verdict: v}}, verdict.Evidence{}),
	}
	r.Notes = read.notes
	r.Load = []report.Load{<-figures}
	at := func(d time.Duration) *time.Time { return new(first.Add(d).UTC()) }
	r.FaultAt = at(cases.Marks.Fault)
	if cases.Marks.Reverted {
		r.Revert = at(cases.Marks.Revert)
	}
	format := report.Terminal
	if c.Bool("json") {
		format = report.JSON
	}
	if err := format(c.App.Writer, r); err != nil {
		return err
	}
	if code := v.Outcome.ExitCode(); code != session.ExitOK {
		return &exitError{code: code}
	}
	return nil
}

// results are the samples of result files, measured from the first one.
type results struct {
	samples []verdict.Sample
	first   time.Time
	bounds  verdict.Bounds
	closed  bool     // see [verdict.Case]
	undated bool     // see [verdict.Case]
	notes   []string // what limits the evidence
}

// add adds a sample of a file.
func (r *results) add(s record.Sample) error {
	if r.first.IsZero() {
		r.first = s.Sent
	}
	sample := verdict.Sample{
		Seq: uint32(s.Seq), Sent: s.Sent.Sub(r.first), Latency: s.Latency, Failed: s.Failed(), //nolint:gosec // G115: more samples are not judged together
	}
	if err := r.bounds.Check(sample); err != nil {
		return fmt.Errorf("result %d, sent at %s: %w", s.Seq, s.Sent.Format(time.RFC3339Nano), err)
	}
	if !s.Void {
		r.samples = verdict.Append(r.samples, sample)
	}
	return nil
}

// read adds the samples of a file, which may be a pipe.
func (r *results) read(path string) error {
	file, err := os.Open(path) //nolint:gosec // G304: what the user asks for
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s: found a folder, expected a file", path)
	}
	content := probe.NewResults(file)
	for s, err := range ahead(content.All()) {
		if err == nil {
			err = r.add(s)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	r.doubt(path, content)
	return nil
}

// doubt notes what a file does not show.
func (r *results) doubt(path string, content *probe.Results) {
	if content.Tool.ClosedLoop() {
		r.closed = true
		r.notes = append(r.notes, fmt.Sprintf("%s is closed-loop load of %s: its users wait for answers, so a stalled service gets fewer requests, and outages and failed shares may be understated", path, content.Tool))
	}
	if content.Undated > 0 {
		r.undated = true
		r.notes = append(r.notes, fmt.Sprintf("%s has %d requests that failed without a connection; %s does not note when they were sent", path, content.Undated, content.Tool))
	}
}

// readResults reads result files as one, sorted.
func readResults(paths []string) (results, error) {
	var r results
	for _, path := range paths {
		if err := r.read(path); err != nil {
			return r, err
		}
	}
	if len(r.samples) == 0 {
		return r, usageError("%s: no samples in it", strings.Join(paths, ", "))
	}
	verdict.Sort(r.samples) // results come in the order of their answers
	earliest := r.samples[0].Sent
	for i := range r.samples {
		r.samples[i].Sent -= earliest
	}
	r.first = r.first.Add(earliest)
	return r, nil
}

func judgeCase(c *cli.Context, read results) (verdict.Case, error) {
	samples, first := read.samples, read.first
	var good unit.Ratio
	if err := good.UnmarshalText([]byte(c.String("good"))); err != nil {
		return verdict.Case{}, usageError("--good %s: %w", c.String("good"), err)
	}
	cases := verdict.Case{Samples: samples, Closed: read.closed, Undated: read.undated, Objective: verdict.Objective{
		RTO: c.Duration("rto"), Good: float64(good), Within: c.Duration("within"), Window: c.Duration("window"), Hold: c.Duration("hold"),
	}}
	if c.IsSet("rate") {
		var rate probe.Rate
		if err := rate.UnmarshalText([]byte(c.String("rate"))); err != nil {
			return cases, usageError("--rate %s: %w", c.String("rate"), err)
		}
		cases.Rate = rate.PerSecond()
	}
	last := samples[len(samples)-1].Sent
	var err error
	if cases.Marks.Fault, err = momentOf(c, "fault-at", first, last); err != nil {
		return cases, err
	}
	if c.IsSet("revert-at") {
		cases.Marks.Reverted = true
		if cases.Marks.Revert, err = momentOf(c, "revert-at", first, last); err != nil {
			return cases, err
		}
	}
	if err := cases.Validate(); err != nil {
		return cases, usageError("%w", err)
	}
	return cases, nil
}

// momentOf reads a moment, and refuses one that has nothing to do with the
// samples: most likely a wrong unit or zone.
func momentOf(c *cli.Context, flag string, first time.Time, last time.Duration) (time.Duration, error) {
	text := c.String(flag)
	at, err := parseMoment(text, first)
	if err != nil {
		return 0, usageError("--%s %s: expected Unix nanoseconds, RFC 3339, or +12.5s from the first sample", flag, text)
	}
	if at < -time.Hour || at > last+time.Hour {
		return 0, usageError("--%s %s is %v away from the samples, which go from %s to %s", flag, text, away(at, last),
			first.UTC().Format(time.RFC3339Nano), first.Add(last).UTC().Format(time.RFC3339Nano))
	}
	return at, nil
}

// away is how far a moment is from the samples, which go from 0 to last.
func away(at, last time.Duration) time.Duration {
	if at < 0 {
		return at.Abs()
	}
	return at - last
}

func parseMoment(text string, first time.Time) (time.Duration, error) {
	if strings.HasPrefix(text, "+") {
		return time.ParseDuration(text[1:])
	}
	if ns, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(0, ns).Sub(first), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at.Sub(first), err
}
