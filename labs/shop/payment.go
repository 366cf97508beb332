package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// payments charges customers through a payment provider with several addresses, each with
// its own route, such as its own NAT gateway. An address that fails is avoided for a
// while.
type payments struct {
	client    *http.Client
	addresses []string

	mu     sync.Mutex
	failed map[string]time.Time // the last failure of each address
}

// The timeout of one address of the provider, and how long a failed address is avoided.
const (
	payPatience = 150 * time.Millisecond
	payAvoid    = 2 * time.Second
)

// newPayments parses the provider's addresses: HOST:PORT,HOST:PORT, or "" for none.
func newPayments(where string) *payments {
	if where == "" {
		return nil
	}
	return &payments{
		// A new connection for each charge: a reused one would hide that the route is
		// broken.
		client: &http.Client{Timeout: payPatience, Transport: &http.Transport{
			DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: payPatience}).DialContext,
		}},
		addresses: strings.Split(where, ","), failed: map[string]time.Time{},
	}
}

// charge charges an order. It is idempotent: an order is charged once.
func (p *payments) charge(ctx context.Context, order string) error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, address := range p.ways() {
		err := p.ask(ctx, address, order)
		if err == nil {
			return nil
		}
		p.mu.Lock()
		p.failed[address] = time.Now()
		p.mu.Unlock()
		errs = append(errs, err)
	}
	return fmt.Errorf("charge: %w", errors.Join(errs...))
}

// ways are the addresses, with recently failed ones at the end.
func (p *payments) ways() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var good, bad []string
	for _, a := range p.addresses {
		if time.Since(p.failed[a]) < payAvoid {
			bad = append(bad, a)
		} else {
			good = append(good, a)
		}
	}
	return append(good, bad...)
}

func (p *payments) ask(ctx context.Context, address, order string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/charges", strings.NewReader(order))
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", order)
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return errors.New(response.Status)
	}
	return nil
}

// lingering is how long the provider leaves a connection half open after its response,
// which fills the table of a NAT gateway.
const lingering = time.Second

// ServeProvider is a stub of a payment provider that accepts every charge.
func ServeProvider(ctx context.Context, listen string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /charges", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<16)); err != nil {
			slog.Warn("charge refused", "error", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", "0") // so that the response is complete before the connection ends
		w.WriteHeader(http.StatusCreated)
		_ = http.NewResponseController(w).Flush() // the client may be gone
		select {
		case <-ctx.Done():
		case <-time.After(lingering):
		}
	})
	return serve(ctx, listen, mux)
}
