package steps_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// Users who speak HTTP/2 open WebSockets, and connections of TLS, as others do: those are no
// HTTP/2.
func TestOtherProtocolsBesideHTTP2(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		_ = c.Write(r.Context(), websocket.MessageText, []byte("ready"))
		<-c.CloseRead(r.Context()).Done()
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	trusted := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	ready := probe.Expect{Contains: probe.Texts{"ready"}}
	for name, c := range map[string]struct {
		entry string
		step  probe.Step
	}{
		"a WebSocket":           {plain.URL, probe.Step{WebSocket: &probe.WebSocket{Path: "/"}, Expect: ready}},
		"a WebSocket over TLS":  {secure.URL, probe.Step{WebSocket: &probe.WebSocket{Path: "/"}, Expect: ready}},
		"a connection over TLS": {secure.URL, probe.Step{TCP: &probe.TCP{TLS: true}}},
		"a connection":          {plain.URL, probe.Step{TCP: &probe.TCP{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.step.Name = "s"
			l := wired(c.entry, probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: []probe.Step{c.step}})
			l.Way.CA, l.Way.HTTP2 = trusted, true
			if v := firstUser(t, l); v.Sample.Error != "" {
				t.Error(strings.TrimPrefix(v.Sample.Error, "s: "))
			}
		})
	}
}
