package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/attach"
)

func attachCommand() *cli.Command {
	return &cli.Command{
		Name: "attach", Usage: "attach a report to an issue, ticket, chat or file", ArgsUsage: "RUN",
		Description: "WHERE is " + attach.Forms + ".\n" +
			"In a file, on GitHub and on Jira, a new report of the same run replaces the old one.\n\n" +
			"Tokens are environment variables, or files that NAME_FILE variables name: GITHUB_TOKEN, JIRA_TOKEN (with JIRA_URL\n" +
			"and, in the cloud, JIRA_EMAIL), SLACK_WEBHOOK_URL, SLACK_TOKEN, GAMEDAY_WEBHOOK_SECRET.",
		Flags: []cli.Flag{outFlag(), &cli.StringSliceFlag{Name: "to", Required: true, Usage: "`WHERE` to send the report (repeatable)"}},
		Action: func(c *cli.Context) error {
			reference, err := one(c, "a run")
			if err != nil {
				return err
			}
			dir, r, err := builtRun(c, reference)
			if err != nil {
				return err
			}
			m, err := attach.Of(r)
			if err != nil {
				return err
			}
			if err := deliver(c.Context, c.App.Writer, c.StringSlice("to"), m); err != nil {
				return fmt.Errorf("%w\ngameday: the report is in %s", err, filepath.Join(dir, "report.html"))
			}
			return nil
		},
	}
}

// deliver delivers a message everywhere, and says what was and was not delivered.
func deliver(ctx context.Context, out io.Writer, to []string, m attach.Message) error {
	var errs []error
	for _, text := range to {
		where, err := attach.Deliver(ctx, text, m)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(out, shown("delivered to "+where))
	}
	return errors.Join(errs...)
}
