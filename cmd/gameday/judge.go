package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

func judgeCommand() *cli.Command {
	return &cli.Command{
		Name:      "judge",
		Usage:     "judge existing vegeta results",
		ArgsUsage: "RESULTS...",
		Description: "RESULTS are files that `vegeta attack` or `vegeta encode` wrote: gob, CSV or JSON, gzipped or not.\n" +
			"TIME is Unix nanoseconds, RFC 3339, or an offset such as +12.5s from the first sample.\n\n" + exitCodeHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "fault-at", Required: true, Usage: "`TIME` of the injection"},
			&cli.StringFlag{Name: "revert-at", Usage: "`TIME` of the revert (default: no revert)"},
			&cli.DurationFlag{Name: "rto", Required: true, Usage: "recovery time objective"},
			&cli.StringFlag{Name: "good", Value: "99%", Usage: "required ratio of good samples"},
			&cli.DurationFlag{Name: "within", Value: verdict.DefaultWithin, Usage: "maximum latency of a good sample"},
			&cli.DurationFlag{Name: "window", Value: verdict.DefaultWindow, Usage: "window in which breaches are detected"},
			&cli.DurationFlag{Name: "hold", Value: verdict.DefaultHold, Usage: "how long service must stay good to count as recovered"},
			&cli.StringFlag{Name: "rate", Usage: "declared rate, for example 50/s (default: estimated from the samples)"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document"},
		},
		Action: judge,
	}
}

func judge(c *cli.Context) error {
	if !c.Args().Present() {
		return usageError("no result file given: gameday judge RESULTS... --fault-at TIME --rto 30s")
	}
	samples, first, err := readResults(c.Args().Slice())
	if err != nil {
		return err
	}
	cases, err := judgeCase(c, samples, first)
	if err != nil {
		return err
	}
	v := verdict.Judge(cases)
	r := report.Report{
		Schema: report.Schema, Scenario: strings.Join(c.Args().Slice(), ", "), Objective: report.ObjectiveOf(cases.Objective, nil),
		Run: verdict.Combine([]verdict.Journey{{Name: "results", Critical: true, Verdict: v}}, verdict.Evidence{}),
	}
	r.Load = []report.Load{report.LoadOf("results", cases)}
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

// readResults reads result files as one. Samples are measured from the first
// of them.
func readResults(paths []string) (samples []verdict.Sample, first time.Time, err error) {
	for i, path := range paths {
		file, err := os.Open(path) //nolint:gosec // G304: what the user asks for
		if err != nil {
			return nil, first, err
		}
		for s, resultErr := range probe.Results(file) {
			if err = resultErr; err != nil {
				break
			}
			if first.IsZero() {
				first = s.Sent
			}
			if !s.Void {
				samples = append(samples, verdict.Sample{
					Seq: uint64(i)<<48 | s.Seq, Sent: s.Sent.Sub(first), Latency: s.Latency, Failed: s.Failed(), //nolint:gosec // G115: an index
				})
			}
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, first, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(samples) == 0 {
		return nil, first, usageError("%s: no samples in it", strings.Join(paths, ", "))
	}
	// Results come in the order of their answers.
	earliest := slices.MinFunc(samples, func(a, b verdict.Sample) int { return cmp.Compare(a.Sent, b.Sent) }).Sent
	for i := range samples {
		samples[i].Sent -= earliest
	}
	return samples, first.Add(earliest), nil
}

func judgeCase(c *cli.Context, samples []verdict.Sample, first time.Time) (verdict.Case, error) {
	var good unit.Ratio
	if err := good.UnmarshalText([]byte(c.String("good"))); err != nil {
		return verdict.Case{}, usageError("--good %s: %w", c.String("good"), err)
	}
	cases := verdict.Case{Samples: samples, Objective: verdict.Objective{
		RTO: c.Duration("rto"), Good: float64(good), Within: c.Duration("within"), Window: c.Duration("window"), Hold: c.Duration("hold"),
	}}
	if c.IsSet("rate") {
		var rate probe.Rate
		if err := rate.UnmarshalText([]byte(c.String("rate"))); err != nil {
			return cases, usageError("--rate %s: %w", c.String("rate"), err)
		}
		cases.Rate = rate.PerSecond()
	}
	var last time.Duration
	for _, s := range samples {
		last = max(last, s.Sent)
	}
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
		return 0, usageError("--%s %s is %v away from the samples, which go from %s to %s", flag, text, max(-at, at-last),
			first.UTC().Format(time.RFC3339Nano), first.Add(last).UTC().Format(time.RFC3339Nano))
	}
	return at, nil
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
