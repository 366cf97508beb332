package docker_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// execution is how a command in a container goes.
type execution struct {
	stream func(w io.Writer) // writes its output, in frames
	states []string          // answers to looks at it; the last one is repeated
}

// exec prepares the execution of a command in a container.
func (e *fakeEngine) exec(id string, x execution) {
	exec := "exec-in-" + id
	e.Answer("POST /containers/"+id+"/exec", http.StatusCreated, fmt.Sprintf(`{"Id":%q}`, exec))
	e.Handle("POST /exec/"+exec+"/start", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			e.tb.Errorf("hijack: %v", err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		if x.stream != nil {
			x.stream(conn)
		}
	})
	var mu sync.Mutex
	e.Handle("GET /exec/"+exec+"/json", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		rig.Reply(w, http.StatusOK, x.states[0])
		if len(x.states) > 1 {
			x.states = x.states[1:]
		}
	})
}

// The states of an execution, as the engine records them.
const (
	execBegins = `{"ID":"x","Running":false,"ExitCode":null,"OpenStdout":true,"Pid":0}`
	execRuns   = `{"ID":"x","Running":true,"ExitCode":null,"OpenStdout":true,"Pid":0}`
)

func execEnds(code int) string {
	return fmt.Sprintf(`{"ID":"x","Running":false,"ExitCode":%d,"OpenStdout":true,"Pid":13276}`, code)
}

// The kinds of a frame.
const (
	toStdout   = 1
	toStderr   = 2
	fromEngine = 3
)

// frame is text as the engine writes it to an attached stream.
func frame(kind byte, text string) string {
	header := [8]byte{kind}
	binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
	return string(header[:]) + text
}

// says is an execution's stream of one frame for each text.
func says(texts ...string) func(io.Writer) {
	return func(w io.Writer) {
		for _, text := range texts {
			_, _ = io.WriteString(w, frame(toStdout, text))
		}
	}
}
