package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/store"
)

func (p program) serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "run scheduled game days, with a web page",
		Description: "gameday serve uses gameday.yaml, scenarios/, journeys/ and spofs.yaml in the current folder.\n\n" +
			"By default it listens on this machine only (--listen). To change something, a client needs a token\n" +
			"(gameday token create), or the login link that gameday serve prints at its start.\n" +
			"On SIGTERM it stops and undoes its runs before it exits. docs/serve.md has the details.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8420", Usage: "`ADDRESS` and port to listen on"},
			storeFlag(), outFlag(),
			&cli.StringFlag{Name: "tls-cert", Usage: "PEM `FILE` with the server certificate and intermediates"},
			&cli.StringFlag{Name: "tls-key", Usage: "PEM `FILE` with the private key"},
			&cli.BoolFlag{Name: "behind-proxy", Usage: "trust X-Forwarded-For from a proxy that terminates TLS"},
			&cli.StringSliceFlag{Name: "host", Usage: "host `NAME` to accept; requests for other names are refused"},
			&cli.StringFlag{Name: "instance", Usage: "`NAME` of this instance among several (default: the host name)"},
		},
		Action: p.serve,
	}
}

func storeFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "store", EnvVars: []string{"GAMEDAY_STORE"},
		Usage: "database: a SQLite `FILE`, or postgres://… shared by several instances (default: serve.db beside the journals)",
	}
}

// openStore opens the store that a command names.
func openStore(c *cli.Context) (*store.Store, error) {
	where := c.String("store")
	if where == "" {
		dir, err := stateDir()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("create the folder of the store: %w", err)
		}
		where = filepath.Join(dir, "serve.db")
	}
	return store.Open(c.Context, where)
}

// withStore opens the store for what is done with it.
func withStore(c *cli.Context, do func(*store.Store) error) error {
	s, err := openStore(c)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

func serverConfig(c *cli.Context) (server.Config, error) {
	config := server.Config{Listen: c.String("listen"), Proxied: c.Bool("behind-proxy"), Hosts: c.StringSlice("host"), Version: version()}
	if c.String("tls-cert") != "" || c.String("tls-key") != "" {
		pair, err := tls.LoadX509KeyPair(c.String("tls-cert"), c.String("tls-key"))
		if err != nil {
			return config, usageError("--tls-cert and --tls-key: %w", err)
		}
		config.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	if err := config.Check(); err != nil {
		return config, usageError("%w", err)
	}
	return config, nil
}

// withoutSecrets takes secrets out of what is logged. slog itself quotes what would act on
// a terminal.
func withoutSecrets(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(redact.Common().Text(value))
	case error:
		a.Value = slog.StringValue(redact.Common().Text(value.Error()))
	}
	return a
}

func (p program) serve(c *cli.Context) error {
	config, err := serverConfig(c)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{ReplaceAttr: withoutSecrets}))
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelDebug) // what goes to package log is still not shown; see program.run
	out, err := filepath.Abs(c.String("out"))
	if err == nil {
		err = os.MkdirAll(out, 0o750)
	}
	if err != nil {
		return fmt.Errorf("create the folder of the runs: %w", err)
	}
	sessions, err := p.session(out, func(err error) { log.Warn(err.Error()) })
	if err != nil {
		return err
	}
	instance := c.String("instance")
	if instance == "" {
		if instance, err = os.Hostname(); err != nil {
			return fmt.Errorf("find the host name: %w: set --instance", err)
		}
	}
	return withStore(c, func(s *store.Store) error {
		// What a dead gameday has left is undone before anything is begun.
		if err := undoLeft(c.Context, sessions, log); err != nil {
			return err
		}
		schedules, changed := sessions.Watched()
		// Another name each time: what a former one has not ended is not this one's.
		d := &daemon.Daemon{
			Store: s, Runner: daemon.Sessions{Session: sessions}, Schedules: schedules, Changed: changed, Log: log, Now: time.Now, Hub: &daemon.Hub{},
			Instance: fmt.Sprintf("%s/%d", instance, os.Getpid()), Spool: filepath.Join(sessions.StateDir, "outcomes"),
		}
		if err := d.Prepare(c.Context); err != nil {
			return err
		}
		web := &server.Server{Config: config, Daemon: d, Log: log, Runs: out, Known: sessions.EnvironmentOf, Environment: sessions.Library.Known, Names: sessions.Names, Note: sessions.Note, Register: p.openRegister}
		return both(c.Context, d.Run, func(ctx context.Context) error {
			return web.Serve(ctx, func(address string) { announce(ctx, c.App.ErrWriter, web, address) })
		})
	})
}

// announce says where the page is, and how to log in.
func announce(ctx context.Context, out io.Writer, web *server.Server, address string) {
	link, err := web.LoginLink(ctx, address)
	if err != nil {
		slog.Error("create the login link", "err", err)
	}
	fmt.Fprintf(out, "\ngameday serve listens on %s. Open this link within an hour to log in (it works once):\n\n    %s\n\n", address, link)
}

// both does two things until ctx ends or one of them fails, and waits for both.
func both(ctx context.Context, a, b func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, 2)
	for _, do := range []func(context.Context) error{a, b} {
		go func() {
			defer cancel()
			errs <- do(ctx)
		}()
	}
	return errors.Join(<-errs, <-errs)
}

// undoLeft undoes what dead runs have left, before any begins. What cannot be undone
// now stands in the way of its own environment only.
func undoLeft(ctx context.Context, s session.Session, log *slog.Logger) error {
	done, err := s.Replay(func(text string) { log.Info(text) }).All(ctx)
	if err != nil {
		return err
	}
	if done.Undone > 0 {
		log.Info(undoneText(done))
	}
	if done.Left != nil {
		log.Error("some faults could not be reverted: run gameday undo", "err", done.Left)
	}
	return nil
}
