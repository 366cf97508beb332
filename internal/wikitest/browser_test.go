package wikitest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/browsertest"
	"github.com/gameday-dev/gameday/internal/gamedaytest"
	"github.com/gameday-dev/gameday/internal/wikitest"
)

// recordEdit logs in and edits a page in a browser, and returns the file with the
// recording, in the wiki's folder.
func recordEdit(t *testing.T, w *wikitest.Wiki, page string) (file string) {
	t.Helper()
	b := browsertest.New(t)
	recording := b.Record(t)
	b.Open(t, w.URL+"/index.php?title=Special:UserLogin")
	b.Type(t, "#wpName1", "Editor1")
	b.Type(t, "#wpPassword1", "gameday-wiki-1")
	recording.Settle(t)
	b.Click(t, "#wpLoginAttempt")
	b.Await(t, "the user is logged in", `document.querySelectorAll('#pt-logout').length`)
	recording.Settle(t)
	b.Open(t, w.URL+"/index.php?title="+page+"&action=edit")
	b.Type(t, "#wpTextbox1", "Written in a browser. ") // before what is there
	recording.Settle(t)
	b.Click(t, "#wpSave")
	b.Await(t, "the page is saved", `document.querySelector('#mw-content-text p')?.innerText.includes('Written in a browser.') ? 1 : 0`)
	file = filepath.Join(w.Dir, "wiki.har")
	if err := os.WriteFile(file, recording.HAR(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// recorded holds a recording to what an import needs: the forms as they were sent, the
// redirects after them, and the pages with the hidden tokens.
func recorded(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var har struct {
		Log struct {
			Entries []struct {
				Resource string `json:"_resourceType"`
				Request  struct {
					Method, URL string
					PostData    struct{ Text string }
				}
				Response struct {
					Status      int
					RedirectURL string
					Content     struct{ Text string }
				}
			}
		}
	}
	if err := json.Unmarshal(data, &har); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range har.Log.Entries {
		if e.Resource != "document" {
			continue
		}
		sent, found := e.Request.PostData.Text, e.Response.Content.Text
		switch what := fmt.Sprint(e.Request.Method, " ", e.Response.Status); {
		case what == "GET 200" && strings.Contains(found, "wpLoginToken"):
			got = append(got, "login form")
		case what == "POST 302" && strings.Contains(sent, "wpLoginToken="):
			got = append(got, "login")
		case what == "GET 200" && strings.Contains(found, "wpEditToken"):
			got = append(got, "edit form")
		case what == "POST 302" && strings.Contains(sent, "wpEditToken") && e.Response.RedirectURL != "":
			got = append(got, "save")
		case what == "GET 200" && found != "":
			got = append(got, "page")
		default:
			t.Errorf("found %s %s: status %d", e.Request.Method, e.Request.URL, e.Response.Status)
		}
	}
	if expected := []string{"login form", "login", "page", "edit form", "save", "page"}; !slices.Equal(got, expected) {
		t.Errorf("recorded %q, expected %q", got, expected)
	}
}

// imported makes a journey of a recording, and walks it as it is. Its secrets are set as
// the import says.
func imported(t *testing.T, w *wikitest.Wiki, g gamedaytest.Gameday, file string) {
	t.Helper()
	code, out, text := g.Run(t, "journey", "import", file, "--name", "wiki-browser")
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, out, text)
	}
	journey, err := os.ReadFile(filepath.Join(w.Dir, "journeys", "wiki-browser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(journey), "gameday-wiki-1") {
		t.Errorf("the password is in\n%s", journey)
	}
	var variables []string
	for _, match := range regexp.MustCompile(`env \\?"(\w+)`).FindAllStringSubmatch(string(journey), -1) {
		variables = append(variables, match[1])
		if strings.Contains(match[1], "TOKEN") {
			t.Errorf("a token is not captured, but a secret in\n%s", journey)
		}
		t.Setenv(match[1], "gameday-wiki-1")
	}
	environment, err := os.OpenFile(filepath.Join(w.Dir, "gameday.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(environment, "    variables: [%s]\n", strings.Join(variables, ", "))
		err = errors.Join(err, environment.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if code, out, text := g.Run(t, "journey", "try", "wiki-browser", "--env", "wiki"); code != 0 {
			t.Fatalf("exit code %d\n%s\n%s\n%s", code, out, text, journey)
		}
	}
}
