package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// The elements of a JUnit XML file that CI systems read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string    `xml:"name,attr"`
		Tests     int       `xml:"tests,attr"`
		Failures  int       `xml:"failures,attr"`
		Errors    int       `xml:"errors,attr"`
		Time      string    `xml:"time,attr"` // seconds
		Timestamp string    `xml:"timestamp,attr"`
		Case      junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
		Output  string        `xml:"system-out"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the run as a test for CI. A single point of failure that is not
// accepted is a failure; an inconclusive or aborted run is an error.
func JUnit(w io.Writer, r Report) error {
	var b strings.Builder
	for _, f := range facts(r) {
		fmt.Fprintf(&b, "%s: %s\n", f.name, plaintext.Line(f.text))
	}
	for _, h := range r.notes() {
		fmt.Fprintf(&b, "%s %s\n", h.At, plaintext.Line(h.What))
	}
	seconds := fmt.Sprintf("%.3f", r.Finished.Sub(r.Started).Seconds())
	environment := plaintext.Line(r.Environment)
	suite := junitSuite{
		Name: "gameday " + environment, Tests: 1, Time: seconds, Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
		Case: junitCase{Class: environment, Name: plaintext.Line(r.Scenario), Time: seconds, Output: b.String()},
	}
	problem := &junitProblem{Message: plaintext.Line(Headline(r)), Type: string(r.Outcome), Text: b.String()}
	switch r.ExitCode() {
	case verdict.Disproved.ExitCode():
	case verdict.Proven.ExitCode():
		suite.Failures, suite.Case.Failure = 1, problem
	default:
		suite.Errors, suite.Case.Error = 1, problem
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// GitHub writes the verdict as an annotation, a workflow command of GitHub Actions.
func GitHub(w io.Writer, r Report) error {
	level := "error"
	switch r.ExitCode() {
	case verdict.Disproved.ExitCode():
		level = "notice"
	case verdict.Inconclusive.ExitCode(), verdict.Aborted.ExitCode():
		level = "warning"
	}
	// The same escaping as in GitHub's own toolkit, for data and for properties.
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	_, err := fmt.Fprintf(w, "::%s title=%s::%s\n", level, property.Replace(plaintext.Line(word(r.Outcome)+" "+r.Scenario)), data.Replace(plaintext.Line(Headline(r))))
	return err
}

var (
	_ Format = JUnit
	_ Format = GitHub
)
