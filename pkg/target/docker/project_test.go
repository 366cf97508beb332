package docker_test

import (
	"net/http"
	"testing"

	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// The variant of a lab is known whatever the order in which the engine lists the lab's
// networks, of which one is labelled.
func TestTheVariantOfALabWithSeveralNetworks(t *testing.T) {
	t.Parallel()
	const labelled, plain = `{"Id":"a","Labels":{"gameday.with":"one-lb"}}`, `{"Id":"b","Labels":{}}`
	for _, networks := range []string{labelled + "," + plain, plain + "," + labelled} {
		e := newFakeEngine(t)
		e.Answer("GET /networks", http.StatusOK, "["+networks+"]")
		e.Answer("GET /volumes", http.StatusOK, `{"Volumes":[]}`)
		found, err := e.open().Project(t.Context(), "gameday-checkout-ha")
		if want := (docker.ProjectState{Networks: 2, With: "one-lb"}); err != nil || found != want {
			t.Errorf("%s: found %+v, %v", networks, found, err)
		}
	}
}
