package main

import (
	"context"
	"errors"

	"kvart/app"
)

func setupCopyAdd(c *command) func(context.Context) error {
	var f storageFlags
	f.register(c)
	name := c.flags.String("name", "", "the copy's name")
	compliance := c.flags.Bool("accept-compliance", false, "a compliance lock can be lifted by nobody before it ends, and is paid for until then: accepted")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			spec, err := f.spec(ctx, s)
			if err != nil {
				return err
			}
			st, err := s.AddCopy(ctx, app.CopyRequest{
				Name: *name, AcceptCompliance: *compliance,
				Storage: app.StorageSpec{Kind: spec.Kind, Settings: spec.Settings}, Secrets: spec.Secrets,
			})
			if err != nil {
				return err
			}
			c.result(st, "%s", c.words.T("cli.copy_added", map[string]any{"Copy": st.Name}))
			return nil
		})
	}
}

func setupCopyList(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			return c.copies(st.Copies)
		})
	}
}

// copies prints how second copies stand.
func (c *command) copies(list []app.CopyStatus) error {
	for _, st := range list {
		c.line("%s · %s · %s", st.Name, st.Where, c.words.T("cli.copy."+string(st.State)))
	}
	if list == nil {
		list = []app.CopyStatus{}
	}
	return c.document(list)
}

func setupCopyNow(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			id, err := s.StartCopy(ctx, c.args)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			if len(j.Copies) > 0 {
				return errors.Join(c.copies(j.Copies), c.quietly(err))
			}
			return err
		})
	}
}

func setupCopyRemove(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		name, err := c.arg("NAME")
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if err := s.RemoveCopy(ctx, name); err != nil {
				return err
			}
			c.result(map[string]any{"removed": name}, "%s", c.words.T("cli.copy_removed", map[string]any{"Copy": name}))
			return nil
		})
	}
}
