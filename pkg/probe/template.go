package probe

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/google/uuid"
)

// functions are the functions of templates, beside those of text/template. lookUp finds
// the value of an environment variable.
func functions(lookUp func(name string) (string, error)) template.FuncMap {
	return template.FuncMap{
		"env":      lookUp,
		"uuid":     func() string { return uuid.NewString() },
		"now":      now,
		"random":   random,
		"base64":   func(v any) string { return base64.StdEncoding.EncodeToString([]byte(text(v))) },
		"sha256":   func(v any) string { sum := sha256.Sum256([]byte(text(v))); return hex.EncodeToString(sum[:]) },
		"urlquery": func(v any) string { return url.QueryEscape(text(v)) },
	}
}

// Functions documents the functions of templates: for each, an example and its meaning.
func Functions() [][2]string {
	return [][2]string{
		{`{{env "SHOP_KEY"}}`, "the environment variable SHOP_KEY of gameday. The environment names it in variables:, and it is redacted everywhere"},
		{`{{uuid}}`, "a new UUID (version 4)"},
		{`{{now}}`, `the time in UTC, as RFC 3339; {{now "unix"}} and {{now "unixms"}} are seconds and milliseconds since 1970; any other text is a layout of Go's time package`},
		{`{{random 8}}`, "8 random letters and digits; {{random 1 6}} is a random number from 1 to 6"},
		{`{{base64 .token}}`, "the value in base64"},
		{`{{sha256 .token}}`, "the SHA-256 of the value, in hexadecimal"},
		{`{{urlquery .name}}`, "the value, escaped for a query"},
	}
}

// now is the time: as RFC 3339, or as a layout says.
func now(layout ...string) string {
	t := time.Now().UTC()
	switch format := cmp.Or(layout...); format {
	case "":
		return t.Format(time.RFC3339)
	case "unix":
		return strconv.FormatInt(t.Unix(), 10)
	case "unixms":
		return strconv.FormatInt(t.UnixMilli(), 10)
	default:
		return t.Format(format)
	}
}

// maxRandom is the length of the longest random text.
const maxRandom = 1024

// random is n random letters and digits, or a random number between two.
func random(n ...int) (string, error) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	switch {
	case len(n) == 1 && 0 < n[0] && n[0] <= maxRandom:
		made := make([]byte, n[0])
		for i := range made {
			made[i] = alphabet[below(len(alphabet))]
		}
		return string(made), nil
	case len(n) == 2 && n[0] <= n[1]:
		return strconv.Itoa(n[0] + below(n[1]-n[0]+1)), nil
	}
	return "", fmt.Errorf("random expects a length from 1 to %d, or two numbers in order", maxRandom)
}

// below is a random number below n.
func below(n int) int {
	found, _ := rand.Int(rand.Reader, big.NewInt(int64(n))) // never fails
	return int(found.Int64())
}

// Template is a text in which {{…}} is replaced for each user.
type Template struct {
	parsed *template.Template // nil if there is nothing to replace
	text   string
}

// Templates compiles the templates of a load.
type Templates struct {
	funcs template.FuncMap
	errs  []error
}

// newTemplates returns a compiler. Only the named environment variables have a value.
func newTemplates(environ map[string]string) *Templates {
	return &Templates{funcs: functions(func(name string) (string, error) {
		value, ok := environ[name]
		if !ok {
			return "", ownError("the environment variable " + name + " is not set")
		}
		return value, nil
	})}
}

// Parse compiles a text. An error is kept until [Templates.Err].
func (c *Templates) Parse(text string) *Template {
	if !isTemplate(text) {
		return &Template{text: text}
	}
	t, err := template.New("").Option("missingkey=error").Funcs(c.funcs).Parse(text)
	c.errs = append(c.errs, err)
	return &Template{parsed: t}
}

// Err is what was wrong with the texts.
func (c *Templates) Err() error { return errors.Join(c.errs...) }

// render fills a template with a user's values.
func (t *Template) render(vars map[string]any) (string, error) {
	if t.parsed == nil {
		return t.text, nil
	}
	var b strings.Builder
	if err := t.parsed.Execute(&b, vars); err != nil {
		return "", err
	}
	return b.String(), nil
}

// used is what a template refers to.
type used struct {
	names   []string // of values
	environ []string // of environment variables
	// functions are the names of what is called.
	functions []string
}

// uses parses a text, and finds what it refers to.
func uses(text string) (found used, err error) {
	if !isTemplate(text) {
		return found, nil
	}
	t, err := template.New("").Funcs(functions(func(string) (string, error) { return "", nil })).Parse(text)
	if err != nil {
		return found, err
	}
	if t.Tree != nil {
		found.walk(t.Root)
	}
	return found, nil
}

// walk finds the fields, and the arguments of env, below a node.
func (u *used) walk(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, item := range n.Nodes {
			u.walk(item)
		}
	case *parse.ActionNode:
		u.walk(n.Pipe)
	case *parse.IfNode:
		u.branch(&n.BranchNode)
	case *parse.RangeNode:
		u.inside(&n.BranchNode)
	case *parse.WithNode:
		u.inside(&n.BranchNode)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, command := range n.Cmds {
			u.command(command)
		}
	case *parse.CommandNode:
		u.command(n)
	case *parse.IdentifierNode:
		u.functions = append(u.functions, n.Ident)
	case *parse.FieldNode:
		u.names = append(u.names, n.Ident[0])
	case *parse.ChainNode:
		u.walk(n.Node)
	}
}

func (u *used) branch(b *parse.BranchNode) {
	u.walk(b.Pipe)
	u.walk(b.List)
	u.walk(b.ElseList)
}

// inside finds what a block refers to in which the dot is another value: its fields are
// not the user's values.
func (u *used) inside(b *parse.BranchNode) {
	u.walk(b.Pipe)
	var block used
	block.walk(b.List)
	block.walk(b.ElseList)
	u.environ = append(u.environ, block.environ...)
	u.functions = append(u.functions, block.functions...)
}

func (u *used) command(c *parse.CommandNode) {
	if f, ok := c.Args[0].(*parse.IdentifierNode); ok && f.Ident == "env" && len(c.Args) > 1 {
		if name, ok := c.Args[1].(*parse.StringNode); ok {
			u.environ = append(u.environ, name.Text)
			return
		}
	}
	for _, arg := range c.Args {
		u.walk(arg)
	}
}

// isTemplate reports whether a text has a part that is replaced.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

var valueName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// IsName reports whether a template can refer to a value of this name.
func IsName(name string) bool { return valueName.MatchString(name) }

// shellVariable matches what a shell or a compose file would replace.
var shellVariable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// checkTemplate parses a template, and refuses what would be sent in another way than it
// is meant: a value that no earlier step captures, and a variable of a shell.
func checkTemplate(text string, known map[string]bool) error {
	if variable := shellVariable.FindString(text); variable != "" {
		return fmt.Errorf("found %s, which would be sent as it is: write {{env %q}} for an environment variable, or {{\"$\"}}%s for the text", variable, strings.Trim(variable, "${}"), variable[1:])
	}
	found, err := uses(text)
	if err != nil {
		message := strings.TrimPrefix(err.Error(), "template: ")
		if strings.Contains(message, "not defined") {
			names := slices.Sorted(maps.Keys(functions(nil)))
			return fmt.Errorf("found %q: %s; the functions are %s", text, afterPlace(message), strings.Join(names, ", "))
		}
		return fmt.Errorf("found %q, expected a template such as user-{{.seq}} (%s)", text, afterPlace(message))
	}
	for _, name := range found.names {
		if !known[name] {
			return fmt.Errorf("{{.%s}} is unknown: no earlier step captures it (available: %s)", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// afterPlace is a message of text/template without the place in front of it.
func afterPlace(message string) string {
	message = strings.TrimLeft(message, ":0123456789")
	return strings.TrimSpace(message)
}
