// Package pgtest gives tests a real PostgreSQL server, with the image of the labs, in a
// container that is removed after the test; or the one that [Given] names, which needs no
// engine.
package pgtest

import (
	"context"
	"net/url"
	"os"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
	"github.com/jackc/pgx/v5"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

// Given is the variable with the URL of a server for tests, whose user may create
// databases. Such a server cannot be stopped.
const Given = "GAMEDAY_TEST_POSTGRES"

// Server is a PostgreSQL server that a test can stop.
type Server struct {
	URL string // postgres://…

	tb  testing.TB
	bed *enginetest.Bed // nil if the server was given
	id  string
}

// port is PostgreSQL's port in the container.
const port = nat.Port("5432/tcp")

// start creates and starts a database cluster. It accepts every connection; its port is
// published on loopback only.
const start = `set -eu
bin=/usr/lib/postgresql/15/bin; data=/tmp/data
[ -e $data ] || { $bin/initdb -D $data -U gameday --auth=trust --no-sync >/dev/null; echo "host all all all trust" >>$data/pg_hba.conf; }
exec $bin/postgres -D $data -c listen_addresses='*' -c fsync=off -c unix_socket_directories=/tmp`

// New starts a server and waits until it answers.
func New(tb testing.TB) *Server {
	tb.Helper()
	if given := os.Getenv(Given); given != "" {
		return &Server{URL: given, tb: tb}
	}
	bed := enginetest.New(tb)
	all := lab.Provisioner{
		Labs: lab.Labs{Files: labs.Files}, Engine: bed.Env.Engine,
		Progress: target.Progress{Step: func(text string) { tb.Log(text) }, Detail: func(string) {}},
	}
	image, err := all.Image(tb.Context(), "checkout", "postgres")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, bed: bed}
	// Without the tmpfs, the image's volume would be left behind.
	s.id = bed.Publish(&container.Config{Image: image, Cmd: []string{"sh", "-c", start}}, port, "/var/lib/postgresql/data")
	s.Start()
	s.URL = "postgres://gameday@127.0.0.1:" + bed.Published(s.id, port) + "/postgres?sslmode=disable"
	bed.Eventually("PostgreSQL answers", s.answers)
	return s
}

func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(s.bed.T.Context(), enginetest.Soon)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close(ctx) }()
	return c.Ping(ctx) == nil
}

// Database creates an empty database and returns its URL.
func (s *Server) Database(name string) string {
	s.tb.Helper()
	ctx := s.tb.Context()
	c, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	id := pgx.Identifier{name}.Sanitize()
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + id + " WITH (FORCE)", "CREATE DATABASE " + id} {
		if _, err := c.Exec(ctx, statement); err != nil {
			s.tb.Fatal(err)
		}
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		s.tb.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Stop kills the server, like the loss of its host.
func (s *Server) Stop() {
	s.tb.Helper()
	if s.bed == nil {
		s.tb.Skip("it stops the server, and " + Given + " names one that others may use")
	}
	if err := s.bed.Client.ContainerKill(s.bed.T.Context(), s.id, "KILL"); err != nil {
		s.bed.T.Fatal(err)
	}
}

// Start starts the server again, with its data.
func (s *Server) Start() {
	s.bed.T.Helper()
	if err := s.bed.Client.ContainerStart(s.bed.T.Context(), s.id, container.StartOptions{}); err != nil {
		s.bed.T.Fatal(err)
	}
}
