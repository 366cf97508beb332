package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/session"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "rebuild the reports of a run from its record", ArgsUsage: "RUN",
		Description: "RUN is a run ID or a unique prefix of it, last, last~1, or a run's folder. The output is deterministic.",
		Flags: []cli.Flag{
			outFlag(),
			&cli.StringFlag{Name: "format", Value: strings.Join(report.Keys(), ","), Usage: "comma-separated `FORMATS`"},
			&cli.StringFlag{Name: "to", Usage: "output `FOLDER`, or - for standard output (default: the run's folder)"},
		},
		Action: reportAction,
	}
}

func reportAction(c *cli.Context) error {
	reference, err := one(c, "a run")
	if err != nil {
		return err
	}
	files, err := filesOf(c.String("format"))
	if err != nil {
		return err
	}
	dir, r, err := builtRun(c, reference)
	if err != nil {
		return err
	}
	to := c.String("to")
	if to == "-" {
		if len(files) != 1 {
			return usageError("--to -: found %d formats, expected one: --format html", len(files))
		}
		return files[0].Format(c.App.Writer, r)
	}
	if to != "" {
		dir = to
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if err := session.WriteReports(dir, files, r); err != nil {
		return err
	}
	for _, f := range files {
		fmt.Fprintln(c.App.Writer, shown(filepath.Join(dir, f.Name)))
	}
	return nil
}

func filesOf(keys string) ([]report.File, error) {
	var files []report.File
	for key := range strings.SplitSeq(keys, ",") {
		f, ok := report.FileOf(key)
		if !ok {
			return nil, usageError("--format %s: %s", key, strictyaml.Suggest(key, report.Keys()))
		}
		files = append(files, f)
	}
	return files, nil
}
