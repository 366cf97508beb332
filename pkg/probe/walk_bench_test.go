package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// shopServer is the JSON shop of the benchmarks.
func shopServer(b *testing.B) *httptest.Server {
	b.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		var who struct{ User string }
		_ = json.NewDecoder(r.Body).Decode(&who)
		fmt.Fprintf(w, `{"token": %q}`, who.User)
	})
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"sku": "A1", "name": "Anvil", "cents": 4999}, {"sku": "B2", "name": "Bellows", "cents": 1999}]`)
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id": "32d5f23b-628c-4224-92fa-99979dbb5f56"}`)
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	return server
}

// BenchmarkJourney is one user of a JSON journey of three steps, with the server of the
// same process.
func BenchmarkJourney(b *testing.B) {
	server := shopServer(b)
	users, err := Load{Way: Way{Entry: server.URL}, Journey: Journey{Timeout: time.Minute, Steps: []Step{
		{Name: "login", Post: "/login", JSON: map[string]any{"user": "user-{{.seq}}"}, Expect: Expect{Status: Codes(200)}, Capture: map[string]Capture{"token": {JSON: "$.token"}}},
		{Name: "browse", Get: "/products", Expect: Expect{Contains: Texts{"Anvil"}}},
		{Name: "order", Post: "/orders", Headers: map[string]string{"Authorization": "Bearer {{.token}}"}, JSON: map[string]any{"sku": "A1"}, Expect: Expect{Status: Codes(201)}, Acknowledges: "$.id"},
	}}}.begin()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = users.close() }()
	b.ReportAllocs()
	var seq uint64
	for b.Loop() {
		way := users.walk(b.Context(), seq)
		if seq++; len(way.steps) != 3 || way.steps[2].err != nil {
			b.Fatal(way.steps[len(way.steps)-1].err)
		}
	}
}
