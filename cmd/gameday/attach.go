package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) attachCommand() *cli.Command {
	return &cli.Command{
		Name: "attach", Usage: "attach a report to an issue, ticket, chat or file", ArgsUsage: "RUN",
		Description: "WHERE is " + attach.Forms + ".\n" +
			"In a file, on GitHub and on Jira, a new report of the same run replaces the old one.\n" +
			"On github-issues:, gitlab-issues: and jira-issues:, each finding of the run has one issue: the first run opens it,\n" +
			"later ones comment, and one that disproves the finding closes it.\n\n" +
			"Tokens are environment variables, or files that NAME_FILE variables name: GITHUB_TOKEN, JIRA_TOKEN (with JIRA_URL\n" +
			"and, in the cloud, JIRA_EMAIL), GITLAB_TOKEN (with GITLAB_URL), SLACK_WEBHOOK_URL, SLACK_TOKEN,\nGAMEDAY_WEBHOOK_SECRET.",
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
			if err := p.deliver(c, c.StringSlice("to"), m, session.Outcome{Dir: dir, Report: r}); err != nil {
				return fmt.Errorf("%w\ngameday: the report is in %s", err, filepath.Join(dir, "report.html"))
			}
			return nil
		},
	}
}

// deliver delivers a message everywhere, and says what was and was not delivered. Trackers of
// issues get the findings of the run instead.
func (p program) deliver(c *cli.Context, to []string, m attach.Message, o session.Outcome) error {
	s, err := p.session(c.String("out"), func(error) {})
	if err != nil {
		return err
	}
	var errs []error
	for _, text := range to {
		if attach.Tracks(text) {
			issues, err := s.Track(c.Context, text, []session.Outcome{o})
			errs = append(errs, err)
			for _, i := range issues {
				fmt.Fprintln(c.App.Writer, shown("issue about "+string(i.Kind)+": "+i.URL+" ("+i.State+")"))
			}
			if len(issues) == 0 && err == nil {
				fmt.Fprintln(c.App.Writer, shown("no issue on "+text+": there is no finding to open or to close"))
			}
			continue
		}
		where, err := attach.Deliver(c.Context, text, m)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(c.App.Writer, shown("delivered to "+where))
	}
	return errors.Join(errs...)
}
