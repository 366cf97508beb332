package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/chromium"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/session"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "rebuild the reports of a run from its record", ArgsUsage: "RUN",
		Description: "RUN is a run ID or a unique prefix of it, last, last~1, or a run's folder. The output is deterministic.\n" +
			"pdf needs a Chromium or Chrome on this machine, and is only written if you name it.",
		Flags: []cli.Flag{
			outFlag(),
			&cli.StringFlag{Name: "format", Value: strings.Join(report.Keys(), ","), Usage: "comma-separated `FORMATS`, of these and pdf"},
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
	files, err := filesOf(c.Context, c.String("format"))
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

func filesOf(ctx context.Context, keys string) ([]report.File, error) {
	var files []report.File
	pdf := printed(ctx)
	for key := range strings.SplitSeq(keys, ",") {
		f, ok := report.FileOf(key)
		if key == pdf.Key {
			f, ok = pdf, true
		}
		if !ok {
			return nil, usageError("--format %s: %s", key, strictyaml.Suggest(key, append(report.Keys(), pdf.Key)))
		}
		files = append(files, f)
	}
	return files, nil
}

// printed is the page as a PDF, which only a machine with a browser can make.
func printed(ctx context.Context) report.File {
	return report.File{Key: "pdf", Name: "report.pdf", Format: func(w io.Writer, r report.Report) error {
		var page bytes.Buffer
		if err := report.HTML(&page, r); err != nil {
			return err
		}
		pdf, err := chromium.PDF(ctx, page.Bytes())
		if err != nil {
			return err
		}
		_, err = w.Write(pdf)
		return err
	}}
}
