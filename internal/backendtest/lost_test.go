package backendtest_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
)

// async is the redundant lab without synchronous replication, and database is the one of its
// shop.
const (
	async    = "checkout-ha+async-replication"
	database = "postgres://shop:shop@198.18.20.100:5000/shop?sslmode=disable"
)

// Two journeys order in one run, while the primary is cut off and goes on acknowledging:
// one by HTTP, as users do, the other by SQL. Each looks up its own orders as it wrote
// them. Then every order is looked up by a client of its own in both ways: what gameday
// calls lost is lost, and nothing else is, whichever way it was written and looked up.
func TestLostOrdersByHTTPAndBySQL(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "backend")
	s := labUp(t, async)
	s.write(t, "journeys/inserts.yaml", `version: 1
name: inserts
timeout: 2s
steps:
  - name: order
    sql:
      url: `+database+`
      statement: INSERT INTO orders (customer, sku, quantity) VALUES ($1, 'A1', 1) RETURNING id
      parameters: ["user-{{.seq}}"]
    acknowledges: $[0].id
confirm:
  sql: {url: "`+database+`", statement: SELECT id FROM orders WHERE id = $1, parameters: ["{{.id}}"]}
`)
	f := s.breaks(t, "split", `version: 1
name: split
environment: lab/`+async+`
objective: {rto: 30s, rpo: 0, good: 99%, within: 500ms}
load:
  - {journey: orders, rate: 50/s, critical: true, from: outside}
  - {journey: inserts, rate: 50/s, critical: true, from: outside}
faults: [{partition: {target: {role: db-primary}, from: {label: gameday.cluster=db}}}]
timing: {baseline: 8s, watch: 30s, repair: 90s}
`)
	acks, err := recordtest.Acks(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(acks) < 500 {
		t.Fatalf("%d orders were acknowledged", len(acks))
	}
	bySQL, byHTTP := lookUpBySQL(t, acks), lookUpByHTTP(t, acks)
	all, lost, first, last := map[string]int{}, map[string]int{}, map[string]time.Time{}, map[string]time.Time{}
	for _, a := range acks {
		all[a.Journey]++
		if a.Presence == "absent" {
			if lost[a.Journey]++; lost[a.Journey] == 1 || a.At.Before(first[a.Journey]) {
				first[a.Journey] = a.At
			}
			if a.At.After(last[a.Journey]) {
				last[a.Journey] = a.At
			}
		}
		if present := a.Presence == "present"; a.Presence == "unconfirmed" || present != bySQL[a.ID] || present != byHTTP[a.ID] {
			t.Errorf("order %s of %s is %s to gameday; SQL finds it: %v, HTTP finds it: %v", a.ID, a.Journey, a.Presence, bySQL[a.ID], byHTTP[a.ID])
		}
	}
	fault := f.Marks[record.MarkFault]
	for _, journey := range []string{"orders", "inserts"} {
		t.Logf("%s: %d of %d acknowledged orders are lost, from %v to %v after the fault", journey, lost[journey], all[journey], first[journey].Sub(fault), last[journey].Sub(fault))
		if lost[journey] < 20 || lost[journey] == all[journey] {
			t.Errorf("%s: %d of %d orders are lost", journey, lost[journey], all[journey])
		}
	}
	// Both wrote to the same primary, which acknowledged until it was demoted.
	if first["orders"].After(last["inserts"]) || first["inserts"].After(last["orders"]) {
		t.Error("they lost orders at different times")
	}
}

// lookUpBySQL finds which orders are in the database.
func lookUpBySQL(t *testing.T, acks []record.Ack) map[string]bool {
	t.Helper()
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	rows, err := c.Query(t.Context(), "SELECT id::text FROM orders")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool, len(acks))
	for _, id := range ids {
		found[id] = true
	}
	return found
}

// lookUpByHTTP finds which orders the shop has.
func lookUpByHTTP(t *testing.T, acks []record.Ack) map[string]bool {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	found := make(map[string]bool, len(acks))
	var mu sync.Mutex
	var asking sync.WaitGroup
	ids := make(chan string)
	for range 8 {
		asking.Go(func() {
			for id := range ids {
				has, err := shopHas(t.Context(), client, id)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				found[id] = has
				mu.Unlock()
			}
		})
	}
	for _, a := range acks {
		ids <- a.ID
	}
	close(ids)
	asking.Wait()
	return found
}

func shopHas(ctx context.Context, client *http.Client, id string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, shop+"/orders/"+id, nil)
	if err != nil {
		return false, err
	}
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("order %s: %s", id, response.Status)
}
