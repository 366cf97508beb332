package journeyfrom

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// maxScript is the size of the largest script that is read, in bytes. Its parser calls
// itself for what is nested.
const maxScript = 128 << 10

// readCurl reads the curl commands of a script.
func (i *importer) readCurl(data []byte) error {
	if len(data) > maxScript {
		return fmt.Errorf("found %d bytes, expected at most %d", len(data), maxScript)
	}
	script := strings.ReplaceAll(string(data), "\r\n", "\n")
	lines := strings.Split(script, "\n")
	for n, line := range lines {
		lines[n] = strings.TrimPrefix(line, "$ ") // as documents show a prompt
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(strings.Join(lines, "\n")), "")
	if err != nil {
		if p, ok := errors.AsType[syntax.ParseError](err); ok {
			return fmt.Errorf("line %d, column %d: %s", p.Pos.Line(), p.Pos.Col(), p.Text)
		}
		return errors.New("found no command that a shell can read")
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if ok && len(call.Args) > 0 && path.Base(call.Args[0].Lit()) == "curl" && err == nil {
			if err = i.readCall(call); err != nil {
				err = fmt.Errorf("line %d: %w", call.Pos().Line(), err)
			}
		}
		return true
	})
	return err
}

// readCall reads one command. Variables of the shell become environment variables.
func (i *importer) readCall(call *syntax.CallExpr) error {
	config := &expand.Config{Env: expand.FuncEnviron(func(name string) string {
		if name == "IFS" {
			return " \t\n"
		}
		return i.marks.add(envAction(i.variable(name)))
	})}
	args := make([]string, 0, len(call.Args))
	for _, word := range call.Args[1:] {
		arg, err := expand.Literal(config, word)
		if err != nil {
			return errors.New("found a command inside the command, or another expansion of the shell: replace it by its value or by a variable")
		}
		args = append(args, arg)
	}
	c := &curl{importer: i, header: http.Header{}}
	if err := c.read(args); err != nil {
		return err
	}
	return c.add()
}

// variable is the name of an environment variable that a source uses.
func (i *importer) variable(name string) string {
	return i.secrets.use(others.ReplaceAllString(name, "_"))
}

// curl is a command that is read.
type curl struct {
	*importer

	method    string
	url       string
	header    http.Header
	cookies   string
	user      string
	hasUser   bool
	data      []string
	hasData   bool
	json      bool
	inQuery   bool
	head      bool
	follow    bool
	multipart []field
	ignored   []string
}

// read reads the arguments.
func (c *curl) read(args []string) error {
	for n := 0; n < len(args); n++ {
		name, value, has := args[n], "", false
		switch {
		case name == "--":
			continue
		case len(name) < 2 || name[0] != '-':
			c.setURL(name)
			continue
		case strings.HasPrefix(name, "--"):
			name, value, has = strings.Cut(name, "=")
		case len(name) > 2 && c.takes(name[:2]):
			name, value, has = name[:2], name[2:], true
		case len(name) > 2: // several without values: -sSL
			args[n] = "-" + name[2:]
			n--
			name = name[:2]
		}
		if c.takes(name) && !has {
			if n++; n >= len(args) {
				return fmt.Errorf("the option %s has no value", plainOption(name))
			}
			value = args[n]
		}
		c.set(name, value)
	}
	return nil
}

// add adds the command as a request.
func (c *curl) add() error {
	if c.url == "" {
		return errors.New("curl has no URL")
	}
	u, err := c.address(c.url)
	if err != nil {
		return err
	}
	e := &exchange{method: c.method}
	data := strings.Join(c.data, "&")
	if c.json {
		data = strings.Join(c.data, "")
	}
	switch {
	case c.inQuery:
		u.RawQuery = strings.Trim(u.RawQuery+"&"+data, "&")
	case c.json:
		e.setBody("application/json", []byte(data))
		e.headers = append(e.headers, field{name: "Accept", value: literal("application/json")})
	case c.hasData:
		kind := c.header.Get("Content-Type")
		if kind == "" {
			kind = "application/x-www-form-urlencoded"
		}
		e.setBody(kind, []byte(data))
	}
	e.body.multipart = c.multipart
	switch {
	case e.method != "":
	case c.head:
		e.method = http.MethodHead
	case c.hasData && !c.inQuery || len(c.multipart) > 0:
		e.method = http.MethodPost
	default:
		e.method = http.MethodGet
	}
	if !isMethod(e.method) {
		return errors.New("found a method that a step does not have: expected GET, HEAD, POST, PUT, PATCH or DELETE")
	}
	if c.follow {
		e.follow = clientFollow
	}
	c.setCredentials(e)
	for _, option := range c.ignored {
		c.left.out("options of curl without a counterpart", option)
	}
	c.direct(e, u)
	return nil
}

// isMethod reports whether a step can have a method.
func isMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}

// setCredentials sets the headers, the cookies and the user of a request.
func (c *curl) setCredentials(e *exchange) {
	cookies := c.cookies
	if cookies == "" {
		cookies = c.header.Get("Cookie")
	}
	e.setHeaders(c.header)
	if c.hasUser {
		user, password, _ := strings.Cut(c.user, ":")
		e.auth = &auth{basic: true, user: literal(user), password: literal(password)}
		c.secrets.learn("password", password)
	}
	if cookies != "" {
		e.setCookies(cookies, c.secrets)
	}
}

// setCookies sends cookies whose values are environment variables: they were there before.
func (e *exchange) setCookies(header string, s *secrets) {
	var all text
	for pair := range strings.SplitSeq(header, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || isVisitors(name) {
			continue
		}
		s.known[value] = name
		all = withCookie(all, name, fromEnv(s.variable(name, value)))
	}
	if len(all) > 0 {
		e.headers = append(e.headers, field{name: "Cookie", value: all})
		e.comment("These cookies were there before. If a step of the journey sets them, remove the header: users keep cookies.")
	}
}
