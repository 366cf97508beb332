package journeyfrom

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
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
		return i.marks.add("env " + strconv.Quote(i.variable(name)))
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
	return c.add(call.Pos().Line())
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

// valued are the options with a value that have no meaning for a journey.
func valued() string {
	return " -o -w -m -x -c -E -T -e -A -C -K -P -Q -r -t -U -y -Y -z -D --output --write-out --max-time --connect-timeout --proxy --cookie-jar --cert --key " +
		"--cacert --capath --resolve --connect-to --interface --upload-file --referer --user-agent --retry --retry-delay --retry-max-time --max-redirs " +
		"--limit-rate --range --config --proxy-user --ciphers --tls-max --dns-servers --unix-socket --noproxy --cert-type --key-type --pass --dump-header " +
		"--speed-limit --speed-time --stderr --trace --trace-ascii --aws-sigv4 --local-port --keepalive-time --proto --proto-redir --max-filesize --time-cond " +
		"--variable --rate --parallel-max --socks5 --socks5-hostname --doh-url --pinnedpubkey --crlfile --engine --hostpubmd5 --netrc-file --request-target "
}

// silent are the options that change nothing of the request.
func silent() string {
	return " -s -S -v -i -f -g -k -L -O -J -N -q -# -4 -6 -0 -a -n --silent --show-error --verbose --include --fail --fail-with-body --globoff --location --location-trusted " +
		"--compressed --insecure --get --head --http1.1 --http1.0 --http2 --http3 --no-buffer --progress-bar --no-progress-meter --remote-name -o -w --output --write-out " +
		"--post301 --post302 --post303 --path-as-is --tlsv1.2 --tlsv1.3 --ssl-no-revoke --tcp-nodelay --keepalive --no-keepalive --ipv4 --ipv6 --anyauth --basic -A -e --user-agent --referer -D --dump-header --stderr --trace --trace-ascii "
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

func plainOption(name string) string {
	name, _, _ = strings.Cut(name, "=")
	return name[:min(len(name), 30)]
}

func (c *curl) setURL(u string) {
	if c.url == "" {
		c.url = u
	} else {
		c.ignored = append(c.ignored, "a second URL")
	}
}

// takes reports whether an option has a value.
func (c *curl) takes(name string) bool {
	const used = " -X -H -d -F -u -b --request --header --data --data-raw --data-binary --data-ascii --data-urlencode --url-query --json --form --form-string --user --cookie --url --oauth2-bearer "
	return strings.Contains(used, " "+name+" ") || strings.Contains(valued(), " "+name+" ")
}

// set is what one option says.
func (c *curl) set(name, value string) {
	switch name {
	case "-X", "--request":
		c.method = strings.ToUpper(value)
	case "-H", "--header":
		key, text, ok := strings.Cut(value, ":")
		if ok && strings.TrimSpace(text) != "" {
			c.header.Add(strings.TrimSpace(key), strings.TrimSpace(text))
		}
	case "-d", "--data", "--data-binary", "--data-ascii":
		if strings.HasPrefix(value, "@") {
			c.ignored = append(c.ignored, name+" @FILE (put its content into body:)")
			value = ""
		}
		c.data, c.hasData = append(c.data, value), true
	case "--data-raw":
		c.data, c.hasData = append(c.data, value), true
	case "--data-urlencode":
		c.data, c.hasData = append(c.data, encode(value)), true
	case "--json":
		c.data, c.hasData, c.json = append(c.data, value), true, true
	case "-F", "--form", "--form-string":
		c.addPart(value, name != "--form-string")
	case "-u", "--user":
		c.user, c.hasUser = value, true
	case "--oauth2-bearer":
		c.header.Set("Authorization", "Bearer "+value)
	case "-b", "--cookie":
		c.setCookie(value)
	case "--url":
		c.setURL(value)
	default:
		c.flag(name, value)
	}
}

// flag is what an option without a value says, or one of little meaning.
func (c *curl) flag(name, value string) {
	switch name {
	case "-G", "--get":
		c.inQuery = true
	case "-I", "--head":
		c.head = true
	case "-L", "--location", "--location-trusted":
		c.follow = true
	case "--compressed":
		c.gzip = true
	case "-k", "--insecure":
		c.notes = append(c.notes, "curl does not check the server's certificate (-k), gameday does: its CA must be one that this machine trusts")
	case "--url-query":
		c.url += map[bool]string{true: "&", false: "?"}[strings.Contains(c.url, "?")] + encode(value)
	default:
		if !strings.Contains(silent(), " "+name+" ") {
			c.ignored = append(c.ignored, plainOption(name))
		}
	}
}

func (c *curl) setCookie(value string) {
	if !strings.Contains(value, "=") {
		c.ignored = append(c.ignored, "-b FILE")
		return
	}
	c.cookies = value
}

// encode is a value of --data-urlencode.
func encode(value string) string {
	name, content, ok := strings.Cut(value, "=")
	switch {
	case !ok:
		return url.QueryEscape(value)
	case name == "":
		return url.QueryEscape(content)
	}
	return name + "=" + url.QueryEscape(content)
}

// addPart adds a field of a form with files.
func (c *curl) addPart(value string, special bool) {
	name, content, _ := strings.Cut(value, "=")
	f := field{name: name, value: literal(strings.Trim(content, `"`))}
	if special && (strings.HasPrefix(content, "@") || strings.HasPrefix(content, "<")) {
		target, rest, _ := strings.Cut(content[1:], ";")
		f.value, f.file = nil, &file{name: path.Base(strings.Trim(target, `"`))}
		for option := range strings.SplitSeq(rest, ";") {
			if kind, ok := strings.CutPrefix(strings.TrimSpace(option), "type="); ok {
				f.file.kind = kind
			}
		}
	}
	c.multipart = append(c.multipart, f)
}

// add adds the command as a request.
func (c *curl) add(line uint) error {
	if c.url == "" {
		return errors.New("curl has no URL")
	}
	u, err := c.address(c.url)
	if err != nil {
		return err
	}
	e := &exchange{place: fmt.Sprintf("line %d", line), method: c.method}
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
		e.follow = 10
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
		if len(all) > 0 {
			all = append(all, literal("; ")...)
		}
		s.known[value] = name
		all = append(append(all, literal(name+"=")...), fromEnv(s.variable(name, value))...)
	}
	if len(all) > 0 {
		e.headers = append(e.headers, field{name: "Cookie", value: all})
		e.comment("These cookies were there before. If a step of the journey sets them, remove the header: users keep cookies.")
	}
}
