package journeyfrom

import (
	"net/url"
	"path"
	"strings"
)

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
	case "-F", "--form":
		c.addPart(value)
	case "--form-string":
		part, content, _ := strings.Cut(value, "=")
		c.multipart = append(c.multipart, field{name: part, value: literal(content)})
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
func (c *curl) addPart(value string) {
	name, content, _ := strings.Cut(value, "=")
	f := field{name: name, value: literal(strings.Trim(content, `"`))}
	if strings.HasPrefix(content, "@") || strings.HasPrefix(content, "<") {
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
