package main

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/store"
)

// typist is the user who types the command, for the audit log.
func typist() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown user"
}

// audited does what a person types in the store, and keeps account of it.
func audited(c *cli.Context, what string, do func(*store.Store) error) error {
	return withStore(c, func(s *store.Store) error {
		err := do(s)
		outcome := "done"
		if err != nil {
			outcome = err.Error()
		}
		return errors.Join(err, s.Audit(c.Context, store.Entry{Who: typist(), From: "gameday " + c.Command.Name, What: what, Outcome: outcome}))
	})
}

func stopCommand() *cli.Command {
	return &cli.Command{
		Name: "stop", Usage: "stop all runs on this machine and undo their faults", ArgsUsage: " ",
		Description: "This is the kill switch. It also stops the jobs of gameday serve on this machine. It needs no token and no store,\nbecause it writes files next to the journals.\n" +
			"The command returns when all faults are undone, and fails if that takes longer than --within.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Required: true, Usage: "stop all runs"}, storeFlag(),
			&cli.DurationFlag{Name: "within", Value: 30 * time.Second, Usage: "how long to wait for the undo"},
		},
		Action: stopAll,
	}
}

func stopAll(c *cli.Context) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	asked, err := run.StopAll(state, typist())
	if err != nil {
		return err
	}
	// What waits must not begin. A store that is away, or was never made, has no say.
	waiting := 0
	storeErr := audited(c, "stop all", func(s *store.Store) error {
		var err error
		waiting, err = s.Stop(c.Context, 0, typist())
		return err
	})
	deadline := time.Now().Add(c.Duration("within"))
	for {
		left, err := run.Unfinished(state)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return &exitError{session.ExitNotPutBack, fmt.Errorf("%d of %d runs have not undone their faults after %v: if these runs have died, run gameday undo", len(left), asked, c.Duration("within"))}
		}
		select {
		case <-c.Done():
			return &exitError{session.ExitAborted, errors.New("interrupted before all faults were undone: run gameday stop --all again")}
		case <-time.After(100 * time.Millisecond):
		}
	}
	if storeErr != nil {
		return fmt.Errorf("stopped %d runs and undid their faults; could not stop the jobs in the store: %w", asked, storeErr)
	}
	_, err = fmt.Fprintf(c.App.Writer, "stopped %d runs and undid their faults; stopped or canceled %d jobs of gameday serve\n", asked, waiting)
	return err
}

func (p program) holdCommand() *cli.Command {
	return &cli.Command{
		Name: "hold", Usage: "block an environment during an incident", ArgsUsage: "ENVIRONMENT",
		Flags: []cli.Flag{
			storeFlag(), &cli.StringFlag{Name: "why", Required: true, Usage: "`REASON`, for example the incident"},
			&cli.StringFlag{Name: "until", Usage: "end of the hold: a `TIME` (RFC 3339) or a duration such as 2h (default: until gameday release)"},
		},
		Action: func(c *cli.Context) error {
			environment, err := one(c, "an environment")
			if err != nil {
				return err
			}
			until, err := server.ParseUntil(c.String("until"), time.Now())
			if err != nil {
				return usageError("--until: %w", err)
			}
			why, err := server.ParseReason(c.String("why"))
			if err != nil {
				return usageError("--%w", err)
			}
			err = audited(c, "hold "+environment+": "+why, func(s *store.Store) error {
				if err := server.Holdable(c.Context, s, environment, p.library().Known); err != nil {
					return usageError("%w", err)
				}
				return s.Hold(c.Context, store.Hold{Environment: environment, Why: why, Who: typist(), Since: time.Now(), Until: until})
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s is on hold: gameday serve starts no run there until gameday release %s\n", environment, environment)
			return err
		},
	}
}

func releaseCommand() *cli.Command {
	return &cli.Command{
		Name: "release", Usage: "end a hold", ArgsUsage: "ENVIRONMENT", Flags: []cli.Flag{storeFlag()},
		Action: func(c *cli.Context) error {
			environment, err := one(c, "an environment")
			if err != nil {
				return err
			}
			return audited(c, "release "+environment, func(s *store.Store) error { return s.Release(c.Context, environment) })
		},
	}
}

func (p program) approveCommand() *cli.Command {
	return &cli.Command{
		Name: "approve", Usage: "approve a pending run", ArgsUsage: "JOB", Flags: []cli.Flag{storeFlag()},
		Action: func(c *cli.Context) error {
			text, err := one(c, "a job ID")
			if err != nil {
				return err
			}
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return usageError("found %q, expected a job ID, such as 17: the page of gameday serve shows the IDs", text)
			}
			return audited(c, fmt.Sprintf("approve job %d", id), func(s *store.Store) error {
				return s.Approve(c.Context, id, typist(), time.Now().Add(p.approvedWithin(c, s, id)))
			})
		},
	}
}

// approvedWithin is how long a job may take to begin once it was approved.
func (p program) approvedWithin(c *cli.Context, s *store.Store, id int64) time.Duration {
	all, err := p.schedules("")
	j, jobErr := s.Job(c.Context, id)
	if err != nil || jobErr != nil {
		return scenario.DefaultStartWithin
	}
	return scenario.Named(all, j.Schedule).StartWithin()
}

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name: "token", Usage: "manage API tokens",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "create a token and print it once", ArgsUsage: "NAME",
				Flags: []cli.Flag{
					storeFlag(), &cli.StringFlag{Name: "role", Value: string(store.View), Usage: "`ROLE`: view or operate"},
					&cli.DurationFlag{Name: "for", Usage: "lifetime (default: until revoked)"},
				},
				Action: tokenCreate,
			},
			{Name: "list", Usage: "list tokens", Flags: []cli.Flag{storeFlag(), jsonFlag()}, Action: tokenList},
			{
				Name: "revoke", Usage: "revoke a token and its sessions", ArgsUsage: "NAME", Flags: []cli.Flag{storeFlag()},
				Action: func(c *cli.Context) error {
					name, err := one(c, "a token's name")
					if err != nil {
						return err
					}
					return audited(c, "revoke token "+name, func(s *store.Store) error { return s.Revoke(c.Context, name) })
				},
			},
		},
	}
}

func tokenCreate(c *cli.Context) error {
	name, err := one(c, "a name")
	if err != nil {
		return err
	}
	role := store.Role(c.String("role"))
	if !slices.Contains([]store.Role{store.View, store.Operate}, role) {
		return usageError("--role %s: expected view or operate", role)
	}
	t := store.Token{Name: name, Kind: store.Named, Role: role, Created: time.Now()}
	if d := c.Duration("for"); d > 0 {
		t.Expires = t.Created.Add(d)
	}
	return audited(c, fmt.Sprintf("create token %s (%s)", name, role), func(s *store.Store) error {
		text, err := s.NewToken(c.Context, t)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.App.ErrWriter, "gameday: this token is shown once and not stored:")
		_, err = fmt.Fprintln(c.App.Writer, text)
		return err
	})
}

func tokenList(c *cli.Context) error {
	return withStore(c, func(s *store.Store) error {
		all, err := s.Tokens(c.Context)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return report.Document(c.App.Writer, append([]store.Token{}, all...))
		}
		rows := make([][]string, 0, len(all))
		for _, t := range all {
			expires := "never"
			if !t.Expires.IsZero() {
				expires = t.Expires.Local().Format("2006-01-02 15:04")
			}
			rows = append(rows, []string{t.Name, string(t.Role), t.Created.Local().Format("2006-01-02 15:04"), expires})
		}
		return table(c.App.Writer, []string{"token", "role", "created", "expires"}, rows)
	})
}
