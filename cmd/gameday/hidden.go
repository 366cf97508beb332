package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/labs/shop"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// helperCommand is the helper in a container; see pkg/helper.
func helperCommand() *cli.Command {
	return &cli.Command{Name: helper.Name, Hidden: true, Subcommands: []*cli.Command{{
		Name: "serve",
		Action: func(c *cli.Context) error {
			return helper.Serve(c.Context, os.Stdin, os.Stdout)
		},
	}, {
		Name: "load",
		Action: func(c *cli.Context) error {
			return probe.Work(c.Context, os.Stdin, os.Stdout)
		},
	}, {
		Name: "echo",
		Action: func(c *cli.Context) error {
			return helper.Echo(c.Context, c.Args().First())
		},
	}, {
		Name: "reach",
		Action: func(c *cli.Context) error {
			limit, err := time.ParseDuration(c.Args().Get(2))
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context, limit)
			defer cancel()
			took, err := helper.Reach(ctx, c.Args().Get(0), c.Args().Get(1))
			if err == nil {
				_, err = fmt.Fprintln(c.App.Writer, took)
			}
			return err
		},
	}}}
}

// shopCommand is the application of the labs, and the payment provider that it
// asks; see labs/shop.
func shopCommand() *cli.Command {
	provider := &cli.Command{Name: "provider", Action: func(c *cli.Context) error {
		return shop.ServeProvider(c.Context, os.Getenv("SHOP_LISTEN"))
	}}
	return &cli.Command{Name: "shop", Hidden: true, Subcommands: []*cli.Command{provider}, Action: func(c *cli.Context) error {
		return shop.Serve(c.Context, shop.Config{
			Listen:   os.Getenv("SHOP_LISTEN"),
			Database: os.Getenv("SHOP_DATABASE"),
			Secret:   os.Getenv("SHOP_SECRET"),
			Sessions: os.Getenv("SHOP_SESSIONS"),
			Pay:      os.Getenv("SHOP_PAY"),
			Routes:   os.Getenv("SHOP_ROUTES"),
		})
	}}
}
