package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/hostcmd"
)

// Test is what the values of a condition must be. All that is set must hold, for each value.
type Test struct {
	Equals  any      `yaml:"equals,omitempty" jsonschema_description:"Each value is this: a number, a text, true or false."`
	Above   *float64 `yaml:"above,omitempty" jsonschema_description:"Each value is a number above this."`
	Below   *float64 `yaml:"below,omitempty" jsonschema_description:"Each value is a number below this."`
	Matches string   `yaml:"matches,omitempty" jsonschema_description:"Each value contains a match of this regular expression."`
}

// IsZero reports whether nothing is compared.
func (t Test) IsZero() bool {
	return t.Equals == nil && t.Above == nil && t.Below == nil && t.Matches == ""
}

// Check reports what is wrong with the declaration, beginning with its key.
func (t Test) Check() error {
	switch t.Equals.(type) {
	case []any, map[string]any:
		return errors.New("equals: found a list or a mapping, expected a number, a text, true or false")
	}
	if _, err := regexp.Compile(t.Matches); err != nil {
		return fmt.Errorf("matches: %w", err)
	}
	if t.Above != nil && t.Below != nil && *t.Above >= *t.Below {
		return fmt.Errorf("above: found %v, expected less than below (%v)", *t.Above, *t.Below)
	}
	return nil
}

// longestValue is how much of a value is shown, in bytes.
const longestValue = 100

// Holds compares values. If it is not met, why explains it; no value meets no test. An error
// means that a value is not of the kind that the test needs.
func (t Test) Holds(values []string) (ok bool, why string, err error) {
	if len(values) == 0 {
		return false, "there is no value", nil
	}
	var matches *regexp.Regexp
	if t.Matches != "" {
		matches = regexp.MustCompile(t.Matches) // it was checked
	}
	for _, v := range values {
		shown := fmt.Sprintf("%.*q", longestValue, v)
		if t.Equals != nil && !same(v, fmt.Sprint(t.Equals)) {
			return false, fmt.Sprintf("found %s, expected %v", shown, t.Equals), nil
		}
		if matches != nil && !matches.MatchString(v) {
			return false, fmt.Sprintf("found %s, expected a match of %s", shown, t.Matches), nil
		}
		if t.Above == nil && t.Below == nil {
			continue
		}
		n, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil:
			return false, "", fmt.Errorf("found %s, expected a number", shown)
		case t.Above != nil && !(n > *t.Above): // NaN is neither above nor below
			return false, fmt.Sprintf("found %s, expected more than %v", v, *t.Above), nil
		case t.Below != nil && !(n < *t.Below):
			return false, fmt.Sprintf("found %s, expected less than %v", v, *t.Below), nil
		}
	}
	return true, "", nil
}

// same compares as numbers if both are, else as texts.
func same(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return a == b || errX == nil && errY == nil && x == y
}

// Command is a command on gameday's own machine.
type Command []string

// longestOutput is how much of a command's output is read, in bytes.
const longestOutput = 64 << 10

// String names its program. Its arguments may contain secrets.
func (c Command) String() string { return "command " + c[0] }

// Run runs the command. The value is its standard output without the white space around it.
func (c Command) Run(ctx context.Context) (exit int, value string, err error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	var environment []string
	for _, name := range []string{"PATH", "HOME"} {
		environment = append(environment, name+"="+os.Getenv(name))
	}
	r, err := hostcmd.Alone(ctx, hostcmd.Command{Program: c[0], Arguments: slices.Clone(c[1:]), Environment: environment, Limit: longestOutput})
	if err != nil {
		return 0, "", fmt.Errorf("%s: %.200w", c, err)
	}
	return r.Exit, strings.TrimSpace(r.Output), nil
}

// Values are the values of all series of the query.
func (p Prometheus) Values(ctx context.Context) ([]string, error) {
	values, err := p.result(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %.200w", p, err)
	}
	return values, nil
}

// Value is the text of the response, without the white space around it. An error means that
// there is none, or that it is not the expected response.
func (h HTTP) Value(ctx context.Context) (string, error) {
	body, why, err := h.response(ctx)
	switch {
	case err != nil:
		return "", err
	case why != "":
		return "", errors.New(why)
	case len(body) > maxResponse:
		return "", fmt.Errorf("%s: the response is larger than 1 MiB", h)
	}
	return strings.TrimSpace(string(body)), nil
}

// Succeeds is [HTTP.Holds] for those who must tell a server that does not answer from one
// that answers otherwise: the first is an error.
func (h HTTP) Succeeds(ctx context.Context) (ok bool, why string, err error) {
	_, why, err = h.response(ctx)
	return err == nil && why == "", why, err
}
