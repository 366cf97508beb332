// Package browsertest tests pages in a real browser: headless Chromium.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a browser that ends with the test.
type Browser struct {
	Context context.Context //nolint:containedctx // chromedp identifies the tab by its context

	mu       sync.Mutex
	problems []string // errors on the console, and exceptions
	requests []string

	recording *Recording
}

// New starts a browser. Without Chromium the test is skipped, or fails in CI.
func New(t *testing.T) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is missing: apt-get install chromium")
		}
		t.Skip("chromium is missing: apt-get install chromium")
	}
	b := &Browser{}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	tab, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(b.hear))
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(func() { cancel(); closeTab(); stop() })
	b.Context = ctx
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, runtime.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *Browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.recording != nil {
		b.recording.hear(b, event)
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.problems = append(b.problems, fmt.Sprint(e.Type))
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	}
}

// Said is the errors and warnings of all pages so far.
func (b *Browser) Said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.problems...)
}

// Left is the requests to URLs that do not start with address.
func (b *Browser) Left(address string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []string
	for _, r := range b.requests {
		if !strings.HasPrefix(r, address) {
			left = append(left, r)
		}
	}
	return left
}

// Open opens a page.
func (b *Browser) Open(t *testing.T, address string) {
	t.Helper()
	if err := chromedp.Do(b.Context, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
}

// Screenshot is a picture of the whole page with a width in pixels and a colour scheme.
func (b *Browser) Screenshot(t *testing.T, width int64, scheme string) []byte {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.Context, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b.Context, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
	picture, err := chromedp.Run(b.Context, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// Number is the value of a JavaScript expression on the page.
func (b *Browser) Number(t *testing.T, expression string) int {
	t.Helper()
	n, err := chromedp.Run(b.Context, chromedp.Evaluate[int](expression))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Await waits up to 30 seconds until an expression on the page is above 0. A click before
// it may still be loading the page: an expression that the navigation interrupts is not
// above 0 yet.
func (b *Browser) Await(t *testing.T, what, expression string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(100 * time.Millisecond) {
		n, err := chromedp.Run(b.Context, chromedp.Evaluate[int](expression))
		switch {
		case err == nil && n > 0:
			return
		case err != nil && !navigates(err):
			t.Fatalf("%s: %v", what, err)
		case time.Now().After(deadline):
			t.Fatalf("%s: not within 30s: %d %v", what, n, err)
		}
	}
}

// navigates reports whether the browser left the page while it evaluated an expression.
func navigates(err error) bool {
	text := err.Error()
	return strings.Contains(text, "navigated or closed") || strings.Contains(text, "context was destroyed") || strings.Contains(text, "Cannot find context")
}

// Type types a text into a field.
func (b *Browser) Type(t *testing.T, selector, text string) {
	t.Helper()
	if err := chromedp.Do(b.Context, chromedp.SendKeys(selector, text)); err != nil {
		t.Fatalf("type into %s: %v", selector, err)
	}
}

// Click clicks on an element.
func (b *Browser) Click(t *testing.T, selector string) {
	t.Helper()
	if err := chromedp.Do(b.Context, chromedp.Click(selector)); err != nil {
		t.Fatalf("click on %s: %v", selector, err)
	}
}
