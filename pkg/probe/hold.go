package probe

import (
	"fmt"
	"net/http"
	"time"
)

// holder is a [Request] that is held open.
type holder interface {
	// Holds is how long.
	Holds() time.Duration
}

// holds is how long the step is held open in all, at most.
func (s Step) holds() (all time.Duration) {
	for _, r := range s.others() {
		if h, ok := r.(holder); ok {
			all += h.Holds()
		}
	}
	if s.Retry != nil {
		all *= time.Duration(s.Retry.Attempts)
	}
	return all
}

// checkHold reports what is wrong with how long something is held open, and with the
// longest silence meanwhile.
func checkHold(hold, gap time.Duration, problem func(key, format string, args ...any)) {
	for key, found := range map[string]time.Duration{"hold": hold, "gap": gap} {
		if found < 0 {
			problem(key, "found %v, expected a positive duration", found)
		}
	}
}

// filed is a [Request] that names a file beside the journey.
type filed interface {
	// File is the key of the file, and its path; "" if it names none.
	File() (key, path string)
	// SetContent keeps the content of the file.
	SetContent(data []byte)
}

// maxFile is the maximum size of a file that a request names, in bytes.
const maxFile = 4 << 20

// ReadFiles reads the files that a request names, unless it is HTTP. problem receives what
// is wrong, by key.
func (s Step) ReadFiles(read func(path string) ([]byte, error), problem func(key, format string, args ...any)) {
	for kind, r := range s.others() {
		f, ok := r.(filed)
		if !ok {
			continue
		}
		key, path := f.File()
		if path == "" {
			continue
		}
		data, err := read(path)
		if err == nil && len(data) > maxFile {
			err = fmt.Errorf("%s has %d bytes, expected at most %d", path, len(data), maxFile)
		}
		if err != nil {
			problem(kind+"."+key, "%v", err)
		}
		f.SetContent(data)
	}
}

// Holds compiles the assertions: its result is nil for an answer that is the expected one.
func (e Expect) Holds() (func(a *Answer) error, error) {
	all, _, err := e.compile()
	return all.hold, err
}

// Looks reports whether an assertion looks at the answer's body.
func (e Expect) Looks() bool { return e.looks() }

// Client is an HTTP client on the user's way, with the user's cookies. It follows no
// redirects.
func (u *User) Client() *http.Client {
	c := &http.Client{Transport: u.client, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if u.cookies && u.jar == nil {
		u.jar = newJar()
	}
	if u.jar != nil {
		c.Jar = u.jar
	}
	return c
}

// Transport reaches the system by HTTP/1.1, also if users speak HTTP/2. The caller closes
// idle connections.
func (w Way) Transport(timeout time.Duration) (*http.Transport, error) {
	w.HTTP2 = false
	return w.transport(timeout)
}
