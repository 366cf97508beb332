package attach

import (
	"net/http"
	"time"
)

// WaitAfter is how long a delivery waits after a response before it tries again.
func WaitAfter(response *http.Response) time.Duration {
	c := patient(request{})
	return c.Backoff(c.RetryWaitMin, c.RetryWaitMax, 0, response)
}
