package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/report"
)

// A run's issues are those of all trackers: a later one replaces what is known of the same
// issue, and of no other.
func TestIssuesOfSeveralTrackers(t *testing.T) {
	t.Parallel()
	dir := cases(t)["proven"]
	issue := func(url, state string) report.Issue {
		return report.Issue{Finding: "k", Kind: report.FoundOutage, URL: url, State: state}
	}
	for _, more := range []report.Issue{issue("http://github/1", report.IssueOpen), issue("http://jira/2", report.IssueOpen), issue("http://github/1", report.IssueClosed)} {
		if err := report.AddIssues(dir, []report.Issue{more}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Issue{issue("http://jira/2", report.IssueOpen), issue("http://github/1", report.IssueClosed)}
	if diff := cmp.Diff(want, r.Issues); diff != "" {
		t.Error(diff)
	}
}
