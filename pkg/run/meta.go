package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Files of a run's folder beside those of pkg/record.
const (
	MetaFile     = "run.json"
	ScenarioFile = "scenario.yaml"
)

// MetaSchema is the version of run.json that this code writes and reads.
const MetaSchema = "gameday/run/v1"

// Meta is what a run knows of itself beside its record.
type Meta struct {
	Schema      string        `json:"schema"`
	ID          string        `json:"run"`
	Gameday     string        `json:"gameday"` // the version that ran it
	Environment string        `json:"environment"`
	Started     time.Time     `json:"started"`
	Finished    time.Time     `json:"finished"` // the last look-up was done
	Seed        uint64        `json:"seed"`
	Steps       []StepAccount `json:"faults"`
	NotInForce  bool          `json:"not_in_force,omitempty"`
	NotFelt     bool          `json:"not_felt,omitempty"`
	// Decided is by what the watch was ended before its time, if it was (until: decided).
	Decided verdict.Outcome `json:"watch_ended_by,omitempty"`
	// Calibrate is [scenario.On] if the load generator was to be calibrated, and
	// [scenario.Off] if the scenario turned that off. Older gamedays did not calibrate.
	Calibrate string `json:"calibrate,omitempty"`
	// NotCalibrated says why the load generator was found not to be calibrated, so that the
	// fault was not ordered.
	NotCalibrated string `json:"not_calibrated,omitempty"`
	// ByHand is how people recovered service, if they were to (undo: by-hand).
	ByHand *ByHand `json:"by_hand,omitempty"`
	// NotKept says by how much the load fell behind its rate before the fault, which was
	// therefore not ordered.
	NotKept   string `json:"rate_not_kept,omitempty"`
	Aborted   string `json:"aborted,omitempty"`
	Left      string `json:"left,omitempty"` // what could not be put back
	Confirmed bool   `json:"confirmed"`      // acknowledged writes were looked up
	// AlertsAside are the places, in the scenario's expect_alerts, of those that are not
	// about what was faulted.
	AlertsAside []int `json:"alerts_aside,omitempty"`
	// Again is the command that runs it again.
	Again string `json:"again,omitempty"`
	// Connection is what is to be known about how users connected: certificates that were
	// not verified, a proxy.
	Connection []string `json:"connection,omitempty"`
	// Versions are of what took part beside gameday: the engine, its kernel.
	Versions map[string]string `json:"versions,omitempty"`
}

// Save writes a run's scenario as it was resolved, and then its meta data: if there
// are meta data, the rest is there. What secrets finds in their texts is taken out.
func Save(dir string, meta Meta, s scenario.Scenario, secrets *redact.Redactor) error {
	meta.Schema = MetaSchema
	meta.Aborted, meta.Left, meta.Again = secrets.Text(meta.Aborted), secrets.Text(meta.Left), secrets.Text(meta.Again)
	meta.Environment = secrets.Text(meta.Environment)
	if meta.ByHand != nil {
		hand := *meta.ByHand
		hand.By = secrets.Text(hand.By)
		meta.ByHand = &hand
	}
	meta.Connection = slices.Clone(meta.Connection)
	for i := range meta.Connection {
		meta.Connection[i] = secrets.Text(meta.Connection[i])
	}
	meta.Steps = slices.Clone(meta.Steps)
	for i := range meta.Steps {
		s := &meta.Steps[i]
		s.Component, s.Found = secrets.Text(s.Component), secrets.Text(s.Found)
	}
	meta.Versions = maps.Clone(meta.Versions)
	for name, version := range meta.Versions {
		meta.Versions[name] = secrets.Text(version)
	}
	data, err := json.MarshalIndent(meta, "", "  ")
	resolved, yamlErr := yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
	if yamlErr == nil && secrets != nil {
		resolved, yamlErr = secrets.YAML(resolved)
	}
	if err = errors.Join(err, yamlErr); err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, ScenarioFile), 0o600, resolved)
	}
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, MetaFile), 0o600, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save the run: %w", err)
	}
	return nil
}
