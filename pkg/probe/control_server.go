package probe

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// controlServer is a server of gameday's own, at the end of the control load: it answers each request
// at once. It speaks as much of HTTP as that needs, since a worker is a small program.
type controlServer struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
	served []record.Served // whose path is the number of a user
}

// openControlServer starts a server that only this machine reaches.
func openControlServer() (*controlServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, fmt.Errorf("start the server of the control load: %w", err)
	}
	s := &controlServer{listener: listener, conns: map[net.Conn]bool{}}
	s.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if s.keep(conn) {
				s.serving.Go(func() { s.serve(conn) })
			}
		}
	})
	return s, nil
}

// url is the base URL of the server.
func (s *controlServer) url() string { return "http://" + s.listener.Addr().String() }

// keep notes a connection, so that close can end it.
func (s *controlServer) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.conns[conn] = true
	return true
}

// serve answers what comes on a connection until it ends.
func (s *controlServer) serve(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close()
	}()
	in := bufio.NewReader(conn)
	for {
		request, err := in.ReadString('\n')
		if err != nil {
			return
		}
		for line := request; strings.TrimSpace(line) != ""; {
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		if fields := strings.Fields(request); len(fields) > 1 {
			s.note(strings.TrimPrefix(fields[1], "/"))
		}
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")); err != nil {
			return
		}
	}
}

// answersAfter is how long a user of the calibration waits: latencies are checked, too.
const answersAfter = 2 * time.Millisecond

// note notes a user of the calibration, and lets the user wait. Those of the control load
// have no number.
func (s *controlServer) note(user string) {
	seq, err := strconv.ParseUint(user, 10, 64)
	if err != nil {
		return
	}
	read := time.Now()
	<-time.After(answersAfter)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served = append(s.served, record.Served{Seq: seq, At: read, Until: time.Now()})
}

// seen are the users who were served since the last call.
func (s *controlServer) seen() []record.Served {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.served
	s.served = nil
	return seen
}

// close ends the server and its connections.
func (s *controlServer) close() {
	s.mu.Lock()
	s.closed = true
	_ = s.listener.Close()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}
