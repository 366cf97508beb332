package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/pkg/record"
)

// IssuesFile names the issues of trackers that are about a run's findings.
const IssuesFile = "issues.json"

// IssuesSchema is the version of [IssuesFile] that this code writes and reads.
const IssuesSchema = "gameday/issues/v1"

// Issue is an issue of a tracker about a finding, as the run has left it.
type Issue struct {
	Finding string      `json:"finding"` // its key
	Kind    FindingKind `json:"kind"`
	URL     string      `json:"url"`
	State   string      `json:"state"` // open or closed
}

// The states of issues.
const (
	IssueOpen   = "open"
	IssueClosed = "closed"
)

type issues struct {
	Schema string  `json:"schema"`
	Issues []Issue `json:"issues"`
}

// AddIssues saves issues about a run's findings in its folder. Each replaces what the folder
// had of the same URL; the others, such as those of another tracker, stay.
func AddIssues(dir string, more []Issue) error {
	all, err := loadIssues(dir)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(old Issue) bool {
		return slices.ContainsFunc(more, func(i Issue) bool { return i.URL == old.URL })
	})
	data, err := json.MarshalIndent(issues{IssuesSchema, append(all, more...)}, "", "  ")
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, IssuesFile), 0o600, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save the issues: %w", err)
	}
	return nil
}

func loadIssues(dir string) ([]Issue, error) {
	data, err := folder.ReadFile(dir, IssuesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all issues
	if err == nil {
		err = record.Decode(data, IssuesSchema, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read the issues: %w", err)
	}
	return all.Issues, nil
}

// issueFacts are the lines of a report about issues.
func issueFacts(all []Issue) (facts []fact) {
	for _, i := range all {
		facts = append(facts, fact{"Issue", fmt.Sprintf("%s: %s, %s", i.Kind, i.URL, i.State)})
	}
	return facts
}
