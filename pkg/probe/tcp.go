package probe

// TCP are the settings of a connection on which one text is sent and one is received.
type TCP struct {
	Address string `yaml:"address,omitempty" jsonschema_description:"HOST:PORT of the server, or :PORT on the host of the entry (default: host and port of the entry)."`
	TLS     bool   `yaml:"tls,omitempty" jsonschema_description:"Whether the server speaks TLS (default: false)."`
	Send    string `yaml:"send,omitempty" jsonschema_description:"What is sent, as a template. A line ends with \\r\\n or \\n only if it is there, in double quotes."`
	Until   *Until `yaml:"until,omitempty" jsonschema_description:"Where the answer ends: close, or one of {bytes: N} and {delimiter: TEXT} (default: when expect holds; at once if expect says nothing of the content). An answer has at most 4 MiB."`
}

// Until is where an answer ends.
type Until struct {
	Close     bool   `yaml:"close,omitempty" jsonschema_description:"When the server closes the connection."`
	Bytes     int    `yaml:"bytes,omitempty" jsonschema:"minimum=1,maximum=4194304" jsonschema_description:"After a number of bytes."`
	Delimiter string `yaml:"delimiter,omitempty" jsonschema_description:"After a text, such as \"\\r\\n\"."`

	unknown string // the short form, if it is none
}

// Short implements the short form: close.
func (u *Until) Short(text string) {
	if u.Close = text == "close"; !u.Close {
		u.unknown = text
	}
}

var _ Request = (*TCP)(nil)

// Title implements [Request].
func (t *TCP) Title() string {
	if t.Address == "" {
		return "tcp"
	}
	return "tcp " + t.Address
}

// Example is a step.
func (*TCP) Example() string {
	return `tcp: {address: :25, until: {delimiter: "\r\n"}}
expect: {matches: "^220 "}
`
}

// Check implements [Request].
func (t *TCP) Check(problem func(key, format string, args ...any)) {
	checkHostPort(t.Address, problem)
	u := t.Until
	if u == nil {
		return
	}
	set := 0
	for _, given := range []bool{u.Close, u.Bytes != 0, u.Delimiter != ""} {
		if given {
			set++
		}
	}
	switch {
	case u.unknown != "":
		problem("until", "found %q, expected close, {bytes: N} or {delimiter: TEXT}", u.unknown)
	case set != 1:
		problem("until", "found %d of them, expected exactly one of close, bytes and delimiter", set)
	case u.Bytes < 0 || u.Bytes > MaxKept:
		problem("until.bytes", "found %d, expected a number from 1 to %d", u.Bytes, MaxKept)
	}
}

// Texts implements [Request].
func (t *TCP) Texts() map[string]string { return map[string]string{"send": t.Send} }
