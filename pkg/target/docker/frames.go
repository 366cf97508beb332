package docker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/docker/docker/pkg/stdcopy"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// maxComplaint bounds what is kept of an error message, in bytes.
const maxComplaint = 4 << 10

// demultiplex copies what a container writes to standard output and error from
// the engine's stream, in which each piece has a header with its kind and
// length, until the stream ends. [stdcopy.StdCopy] returns no error for a stream
// that is cut within a piece; this does.
func demultiplex(stdout, stderr io.Writer, from io.Reader) error {
	var header [8]byte
	for {
		switch _, err := io.ReadFull(from, header[:]); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		complaint := bounded.Buffer{Limit: maxComplaint}
		var to io.Writer
		switch kind := stdcopy.StdType(header[0]); kind {
		case stdcopy.Stdin, stdcopy.Stdout:
			to = stdout
		case stdcopy.Stderr:
			to = stderr
		case stdcopy.Systemerr:
			to = &complaint
		default:
			return fmt.Errorf("the engine's stream has a frame of unknown kind %d", kind)
		}
		switch _, err := io.CopyN(to, from, int64(binary.BigEndian.Uint32(header[4:]))); {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case complaint.Len() > 0:
			return fmt.Errorf("the engine reports: %s", complaint.String())
		}
	}
}
