package attach

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/report"
)

// Findings become issues of a tracker, one for each key of a finding: the first run that has
// it opens the issue, later ones comment on it, and one that disproves it closes it.
//
// The tracker remembers, and not gameday: an issue is found by a marker that its text begins
// with, or by a label. So a process that dies after it has opened an issue does not open
// another. A request that creates something is never repeated blindly: if its answer is lost,
// the tracker is asked first.
//
// Processes of one machine take turns by a lock. Two machines may both open one. Each then
// looks again, and closes its own if the other one is older.

// tracker is a tracker of issues.
type tracker interface {
	// find is all issues about a finding, in any state, the oldest first.
	find(ctx context.Context, f report.Finding) ([]issue, error)
	// open opens an issue about a finding. Its text begins with the markers of both.
	open(ctx context.Context, f report.Finding, m Message) (issue, error)
	// comment writes the comment of a run. There is one, however often it is written.
	comment(ctx context.Context, i issue, m Message) error
	// set opens or closes an issue.
	set(ctx context.Context, i issue, to state) error
}

// issue is an issue of a tracker.
type issue struct {
	id       string
	number   int64 // the older issue has the lower one
	url      string
	open     bool
	declined bool   // people have closed it because nothing will be done
	run      string // which has opened it, if its text says so
}

// state is what an issue is set to.
type state string

const (
	opened    state = "open"
	closed    state = "closed"
	duplicate state = "duplicate" // closed, because there is an older one
)

// Label is on all issues that gameday opens.
const Label = "gameday"

// trackFor is how long the issues about one run may take.
const trackFor = 3 * time.Minute

// Tracks reports whether a destination is a tracker of issues, to which findings go.
func Tracks(to string) bool {
	d, err := Parse(to)
	_, tracks := d.(tracking)
	return err == nil && tracks
}

// tracking is a tracker as a destination.
type tracking struct {
	tracker
}

// Deliver implements [Destination]: the message's report is the only run.
func (t tracking) Deliver(ctx context.Context, m Message) (string, error) {
	if m.Report == nil {
		return "", errors.New("not delivered: issues are about findings, and this message has no report")
	}
	issues, err := t.track(ctx, report.FindingsOfAll([]report.Report{*m.Report}), "")
	where := make([]string, len(issues))
	for i, made := range issues {
		where[i] = made.URL + " (" + made.State + ")"
	}
	if len(where) == 0 && err == nil {
		return "no issue: there is no finding to open or to close", nil
	}
	return strings.Join(where, ", "), err
}

// Track brings the findings of runs to a tracker, and returns the issues about them. locks is
// the folder of locks that all processes of this machine share.
func Track(ctx context.Context, to string, found []report.Found, locks string) ([]report.Issue, error) {
	ctx, cancel := context.WithTimeout(ctx, trackFor)
	defer cancel()
	d, err := Parse(to)
	t, ok := d.(tracking)
	if err == nil && !ok {
		err = errors.New("expected a tracker of issues: github-issues:, gitlab-issues: or jira-issues:, and what it is about")
	}
	var issues []report.Issue
	if err == nil {
		issues, err = t.track(ctx, found, locks)
	}
	if err != nil {
		return issues, fmt.Errorf("%s: %w", shown(to), err)
	}
	return issues, nil
}

// track goes on with the other findings if one fails.
func (t tracking) track(ctx context.Context, found []report.Found, locks string) (issues []report.Issue, err error) {
	for _, f := range found {
		m, messageErr := Of(f.Report)
		if messageErr != nil {
			return issues, messageErr
		}
		made, known, oneErr := t.locked(ctx, f.Finding, m, locks)
		if err = errors.Join(err, oneErr); known {
			issues = append(issues, report.Issue{Finding: f.Key, Kind: f.Kind, URL: webURL(made.url), State: map[bool]string{true: report.IssueOpen, false: report.IssueClosed}[made.open]})
		}
	}
	return issues, err
}

// lockPause is how often the lock of a finding is tried.
const lockPause = 50 * time.Millisecond

// locked is [tracking.one] while no other process of this machine does the same.
func (t tracking) locked(ctx context.Context, f report.Finding, m Message, locks string) (issue, bool, error) {
	if locks == "" {
		return t.one(ctx, f, m)
	}
	if err := atomicfile.MkdirAll(locks, 0o700); err != nil {
		return issue{}, false, fmt.Errorf("lock the finding: %w", err)
	}
	lock := flock.New(filepath.Join(locks, "finding-"+f.Key))
	defer lock.Close()
	if _, err := lock.TryLockContext(ctx, lockPause); err != nil {
		return issue{}, false, fmt.Errorf("lock the finding: %w", err)
	}
	return t.one(ctx, f, m)
}

// one brings one finding to the tracker. known is false if there is no issue about it.
func (t tracking) one(ctx context.Context, f report.Finding, m Message) (made issue, known bool, err error) {
	if err := checkRun(m.Run); err != nil {
		return made, false, err
	}
	all, err := t.find(ctx, f)
	if err != nil {
		return made, false, err
	}
	if len(all) == 0 {
		if f.Disproved || f.Accepted {
			return made, false, nil
		}
		if all, err = t.create(ctx, f, m); err != nil {
			return made, false, err
		}
	}
	made = foremost(all)
	if err := t.merge(ctx, made, all); err != nil {
		return made, true, err
	}
	m.Markdown = said(f) + "\n\n" + m.Markdown
	switch {
	case f.Disproved && !made.open:
		return made, true, nil
	case f.Disproved:
		err := t.comment(ctx, made, m)
		if err == nil {
			err = t.set(ctx, made, closed)
		}
		made.open = err != nil
		return made, true, err
	case made.run == m.Run && made.open:
		return made, true, nil // it has opened the issue
	}
	err = t.comment(ctx, made, m)
	if err == nil && !made.open && !made.declined {
		err = t.set(ctx, made, opened)
		made.open = err == nil
	}
	return made, true, err
}

// said is what a comment says about a finding before the report.
func said(f report.Finding) string {
	switch {
	case f.Disproved:
		return "This run disproves the finding. Its evidence:"
	case f.Accepted:
		return "Found again, and accepted in the register:"
	}
	return "Found again:"
}

// create opens an issue, and looks for it and for others that were opened meanwhile.
func (t tracking) create(ctx context.Context, f report.Finding, m Message) (all []issue, err error) {
	var made issue
	err = sure(ctx, func(again bool) error {
		if again { // the answer to the request before was lost
			if all, err = t.find(ctx, f); err != nil || len(all) > 0 {
				return err
			}
		}
		made, err = t.open(ctx, f, m)
		return err
	})
	if err != nil || len(all) > 0 {
		return all, err
	}
	if all, err = t.find(ctx, f); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(i issue) bool { return i.id == made.id }) {
		all = append(all, made) // the tracker's index is behind
	}
	return all, nil
}

// foremost is the issue that stands for a finding: the oldest open one, or the oldest.
func foremost(all []issue) issue {
	slices.SortFunc(all, func(a, b issue) int { return int(a.number - b.number) })
	if i := slices.IndexFunc(all, func(i issue) bool { return i.open }); i >= 0 {
		return all[i]
	}
	return all[0]
}

// merge closes the other open issues about the same finding.
func (t tracking) merge(ctx context.Context, kept issue, all []issue) error {
	for _, other := range all {
		if other.id == kept.id || !other.open {
			continue
		}
		if err := t.set(ctx, other, duplicate); err != nil {
			return err
		}
	}
	return nil
}

// sure does what creates something until it is sure that it is done, or is not. again says
// that the answer to the last try was lost.
func sure(ctx context.Context, do func(again bool) error) error {
	wait := retryWait
	for try := 0; ; try++ {
		err := do(try > 0)
		if !errors.Is(err, errUncertain) || try == retries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// errUncertain is wrapped by the error of a request that creates something, if it may have
// been carried out.
var errUncertain = errors.New("it may have been carried out")

// webURL is a URL that a tracker names, if people can follow it.
func webURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return plaintext.OneLine(u.String(), maxWhere)
}

// The text of an issue begins with two lines: the marker of its finding, and that of the run
// that has opened it.

func findingMarker(f report.Finding) string { return "<!-- gameday-finding " + f.Key + " -->" }

// issueText is the text of an issue in Markdown. The key is also where a search finds it.
func issueText(f report.Finding, m Message, most int) string {
	end := "\n\nLater runs comment on this issue, and one that disproves the finding closes it. Finding: `" + f.Key + "`\n"
	text := findingMarker(f) + "\n" + begins(m.Run) + "\n" + m.text()
	return shorten(text, most-len(end), "\n\n… truncated") + end
}

// openedBy reads the markers of an issue's text. ok is false if it is not about a finding.
func openedBy(text string, f report.Finding) (run string, ok bool) {
	first, rest, _ := strings.Cut(text, "\n")
	if strings.TrimRight(first, " \r") != findingMarker(f) {
		return "", false
	}
	second, _, _ := strings.Cut(rest, "\n")
	second = strings.TrimRight(second, " \r")
	if run, ok := strings.CutPrefix(second, marks); ok {
		return strings.TrimSuffix(run, " -->"), true
	}
	return "", true
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // of trackers that count their issues
	return n
}
