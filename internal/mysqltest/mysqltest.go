// Package mysqltest gives tests a real MariaDB server, from Debian's packages, in a
// container that is removed after the test; or the one that [Given] names, which needs no
// engine.
package mysqltest

import (
	"context"
	"net"
	"os"
	"testing"
	"testing/fstest"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
	"github.com/go-sql-driver/mysql"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

// Given is the variable with the URL of a server for tests, whose user may create tables.
// Such a server cannot be stopped.
const Given = "GAMEDAY_TEST_MYSQL"

// Server is a MariaDB server that a test can stop.
type Server struct {
	URL string // mysql://…

	bed *enginetest.Bed // nil if the server was given
	id  string
}

// port is MariaDB's port in the container.
const port = nat.Port("3306/tcp")

const image = `ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server \
 && rm -rf /var/lib/apt/lists/* /var/lib/mysql
`

// start creates and starts a database. Its port is published on loopback only.
const start = `set -eu
data=/tmp/data
[ -e $data ] || mariadb-install-db --datadir=$data --user=mysql --auth-root-authentication-method=normal >/dev/null
cat >/tmp/init.sql <<END
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS shop@'%' IDENTIFIED BY 'secret';
GRANT ALL ON shop.* TO shop@'%';
END
exec mariadbd --no-defaults --datadir=$data --user=mysql --bind-address=0.0.0.0 --socket=/tmp/mysql.sock --init-file=/tmp/init.sql --skip-name-resolve --innodb-flush-log-at-trx-commit=0`

// New starts a server and waits until it answers.
func New(tb testing.TB) *Server {
	tb.Helper()
	if given := os.Getenv(Given); given != "" {
		return &Server{URL: given}
	}
	bed := enginetest.New(tb)
	all := lab.Provisioner{
		Labs:     lab.Labs{Files: fstest.MapFS{"test/mariadb/Dockerfile": {Data: []byte(image)}}},
		Engine:   bed.Env.Engine,
		Progress: target.Progress{Step: func(text string) { tb.Log(text) }, Detail: func(string) {}},
	}
	reference, err := all.Image(tb.Context(), "test", "mariadb")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{bed: bed}
	s.id = bed.Publish(&container.Config{Image: reference, Cmd: []string{"sh", "-c", start}}, port)
	s.Start()
	address := net.JoinHostPort("127.0.0.1", bed.Published(s.id, port))
	s.URL = "mysql://shop:secret@" + address + "/shop"
	bed.Eventually("MariaDB answers", func() bool { return answers(bed.T.Context(), address) })
	return s
}

func answers(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, enginetest.Soon)
	defer cancel()
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName, c.Logger = "shop", "secret", "tcp", address, "shop", &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return false
	}
	session, err := connector.Connect(ctx)
	return err == nil && session.Close() == nil
}

// Stop kills the server, like the loss of its host.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if s.bed == nil {
		tb.Skip("it stops the server, and " + Given + " names one that others may use")
	}
	if err := s.bed.Client.ContainerKill(tb.Context(), s.id, "KILL"); err != nil {
		tb.Fatal(err)
	}
}

// Start starts the server again, with its data.
func (s *Server) Start() {
	s.bed.T.Helper()
	if err := s.bed.Client.ContainerStart(s.bed.T.Context(), s.id, container.StartOptions{}); err != nil {
		s.bed.T.Fatal(err)
	}
}
