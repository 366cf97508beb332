// Command gameday-lab is the application of the bundled labs: a small shop, the payment
// provider that it asks, and tools with which labs and tests look at a network.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gameday-dev/gameday/labs/echo"
	"github.com/gameday-dev/gameday/labs/shop"
)

const usage = `usage: gameday-lab COMMAND

  shop                           the shop; SHOP_* in the environment configure it
  provider                       the payment provider, at SHOP_LISTEN
  echo ADDRESS                   send back what comes by TCP and UDP
  reach NETWORK ADDRESS TIMEOUT  print how long reaching ADDRESS took; NETWORK is tcp, udp,
                                 dns, or hold for a TCP connection that stays open
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) == 1 && args[0] == "shop":
		err = shop.Serve(ctx, shop.Config{
			Listen:   os.Getenv("SHOP_LISTEN"),
			Database: os.Getenv("SHOP_DATABASE"),
			Secret:   os.Getenv("SHOP_SECRET"),
			Sessions: os.Getenv("SHOP_SESSIONS"),
			Pay:      os.Getenv("SHOP_PAY"),
			Routes:   os.Getenv("SHOP_ROUTES"),
		})
	case len(args) == 1 && args[0] == "provider":
		err = shop.ServeProvider(ctx, os.Getenv("SHOP_LISTEN"))
	case len(args) == 2 && args[0] == "echo":
		err = echo.Serve(ctx, args[1])
	case len(args) == 4 && args[0] == "reach":
		err = reach(ctx, stdout, args[1], args[2], args[3])
	case len(args) == 1 && args[0] == "help":
		_, err = io.WriteString(stdout, usage)
	default:
		fmt.Fprint(stderr, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintln(stderr, "gameday-lab:", err)
		return 1
	}
	return 0
}

func reach(ctx context.Context, stdout io.Writer, network, address, timeout string) error {
	limit, err := time.ParseDuration(timeout)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	took, err := echo.Reach(ctx, network, address)
	if err == nil {
		_, err = fmt.Fprintln(stdout, took)
	}
	return err
}
