package docker

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// stream is a helper's standard input and output. What it says on standard
// error is the reason why it ended.
type stream struct {
	conn   net.Conn
	output *io.PipeReader
}

func newStream(conn net.Conn, from io.Reader) *stream {
	output, writer := io.Pipe()
	go func() {
		complaint := bounded.Buffer{Limit: maxComplaint}
		err := demultiplex(writer, &complaint, from)
		if text := strings.TrimSpace(complaint.String()); text != "" {
			err = errors.New(text)
		}
		if err == nil {
			err = io.EOF
		}
		_ = writer.CloseWithError(err) // never fails
	}()
	return &stream{conn, output}
}

func (s *stream) Read(p []byte) (int, error)  { return s.output.Read(p) }
func (s *stream) Write(p []byte) (int, error) { return s.conn.Write(p) }
func (s *stream) Close() error                { return s.conn.Close() }
