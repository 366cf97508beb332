package attach_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/gameday-dev/gameday/pkg/attach"
)

// hostile is a report of a run whose marks, errors and names hold markers.
func hostile(run, text string) attach.Message {
	m := message(run, "# PROVEN\n\n"+text+" <!-- /gameday "+run+" -->\n<!-- /gameday "+run+" -->\n<!-- gameday "+run+" -->\n<!-- gameday other -->\n<!--\n{noformat} [x|http://evil.example]\nend\n")
	m.Line += " <!-- /gameday " + run + " --> {noformat} !http://evil.example/i.png! @org/team"
	return m
}

// Whatever a report holds, its section is replaced as a whole: however often it is
// attached, the file has the same bytes (M9).
func TestAReportCannotBreakItsSection(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "post-mortem.md")
	before := "# Outage\n\nThe marker `<!-- gameday r-1 -->` begins a section.\n\n<!-- gameday r-10 -->\nof another run\n<!-- /gameday r-10 -->\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	attached := func(text string) string {
		if _, err := attach.Deliver(t.Context(), path, hostile("r-1", text)); err != nil {
			t.Fatal(err)
		}
		return read()
	}
	first := attached("first")
	for range 3 {
		if again := attached("first"); again != first {
			t.Fatalf("it became\n%s\nfrom\n%s", again, first)
		}
	}
	if second := attached("second"); second != strings.Replace(first, "first", "second", 1) || !strings.HasPrefix(second, before) {
		t.Errorf("it became\n%s", second)
	}
	// The line endings of an editor change nothing.
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(first, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if third := attached("third"); strings.Count(third, "PROVEN") != 1 || !strings.Contains(third, "third") {
		t.Errorf("it became\n%s", third)
	}
}

// What an older gameday wrote, with a marker in the middle of a line, is replaced as a whole.
// A section without its end is not: what follows is another one.
func TestOldSections(t *testing.T) {
	t.Parallel()
	old := "<!-- gameday r-1 -->\n| 1s | db | **<!-- /gameday r-1 -->** |\nmore\n<!-- /gameday r-1 -->\nbelow\n"
	path := filepath.Join(t.TempDir(), "old.md")
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := deliver(t, path, message("r-1", "new\n")); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "<!-- gameday r-1 -->\nnew\n<!-- /gameday r-1 -->\nbelow\n" {
		t.Errorf("it became %q", data)
	}
	broken := "<!-- gameday r-1 -->\nno end\n<!-- gameday r-2 -->\nb\n<!-- /gameday r-2 -->\n<!-- /gameday r-1 -->\n"
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := deliver(t, path, message("r-1", "new\n")); err == nil || !strings.Contains(err.Error(), "has no end marker") {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != broken {
		t.Errorf("it became %q", data)
	}
}

// A message without a report is a section too, and nothing in it is read as Markdown.
func TestAMessageOfOneLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.md")
	m := hostile("job 7", "")
	m.Markdown, m.Report = "", nil
	if _, err := deliver(t, path, m); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	if lines := strings.Split(string(data), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[1], "PROVEN") || strings.Contains(lines[1], "<!--") {
		t.Errorf("%q", data)
	}
}

// An ID that could be a part of a marker is no run's.
func TestRunIDsAreChecked(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", token)
	t.Setenv("JIRA_TOKEN", token)
	t.Setenv("JIRA_URL", "http://127.0.0.1:1")
	for _, id := range []string{"", " x", "a -->", "a\nb", "a<b", "../x", "\x1b[2J", strings.Repeat("a", 256)} {
		for _, to := range []string{filepath.Join(t.TempDir(), "a.md"), "github:owner/repo#7", "jira:OPS-1"} {
			if _, err := deliver(t, to, message(id, "x\n")); err == nil || !strings.Contains(err.Error(), "found the run ID") || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q to %s: %v", id, to, err)
			}
		}
	}
}

// jiraServer has comments, and takes more of them.
func jiraServer(t *testing.T, bodies ...string) *[]string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			all := []map[string]string{}
			for i, b := range bodies {
				all = append(all, map[string]string{"id": strconv.Itoa(i), "body": b})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"total": len(all), "comments": all})
			return
		}
		var sent map[string]string
		_ = json.NewDecoder(r.Body).Decode(&sent)
		id := len(bodies)
		if r.Method == http.MethodPut {
			_, _ = fmt.Sscanf(filepath.Base(r.URL.Path), "%d", &id)
			bodies[id] = sent["body"]
			return
		}
		bodies = append(bodies, sent["body"])
	}))
	t.Cleanup(server.Close)
	t.Setenv("JIRA_URL", server.URL)
	t.Setenv("JIRA_TOKEN", token)
	return &bodies
}

// A comment belongs to the run that its first line names, and not to one whose name begins
// like it (L17).
func TestAJiraCommentIsFoundByItsWholeMarker(t *testing.T) { //nolint:paralleltest // it sets variables
	bodies := jiraServer(t, "gameday run r10\r\nof another run", "gameday run db-loss\nstarts", "gameday run r1 is what I saw", "so says gameday run r1\ngameday run r1\n")
	for range 3 {
		for _, run := range []string{"r1", "db"} {
			if _, err := deliver(t, "jira:OPS-1", hostile(run, "first")); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := *bodies
	if len(all) != 6 || !strings.HasSuffix(all[0], "of another run") || !strings.HasSuffix(all[1], "starts") || !strings.HasSuffix(all[2], "saw") {
		t.Errorf("%q", all)
	}
	for _, body := range all[4:] {
		// What is not in the block is the marker alone, and the block ends at its end.
		if lines := strings.SplitN(body, "\n", 3); len(lines) != 3 || !strings.HasPrefix(lines[0], "gameday run ") || lines[1] != "{noformat}" ||
			strings.Count(body, "{noformat}") != 2 || !strings.HasSuffix(body, "\n{noformat}") {
			t.Errorf("%q", body)
		}
	}
	long := message("r1", strings.Repeat("ä", 40_000))
	if _, err := deliver(t, "jira:OPS-1", long); err != nil || len((*bodies)[4]) > 32767 || !strings.HasSuffix((*bodies)[4], "truncated\n{noformat}") {
		t.Errorf("%v, %d bytes", err, len((*bodies)[4]))
	}
}

// A post-mortem that is no file does not hang gameday.
func TestAFileThatIsNone(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo.md")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "folder.md")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, folder} {
		if _, err := deliver(t, path, message("r1", "x")); err == nil || !strings.Contains(err.Error(), "regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Destinations that lead to another path of a server than a ticket's or an issue's are none.
func TestDestinationsHoldNoPaths(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"github:../..#1", "github:a/..#1", "github:./b#1", "jira:../../x", "jira:OPS-1/../OPS-2", "jira:OPS", "jira:OPS-1?x", "jira:" + url.PathEscape("a/b")} {
		if _, err := attach.Parse(to); err == nil {
			t.Errorf("%q is accepted as a destination", to)
		}
	}
	for _, to := range []string{"github:a/.github#1", "github:a.b/c..d#1", "jira:OPS_2-17"} {
		if _, err := attach.Parse(to); err != nil {
			t.Error(err)
		}
	}
}
