package main

import (
	"context"
	"errors"

	"kvart/app"
)

// printed is an error whose story stdout has told already, in the document of
// the verb: the exit code and stderr are all that is left to say.
type printed struct{ error }

func (p printed) Unwrap() error { return p.error }

// quietly keeps a failure from being printed as a second document.
func (c *command) quietly(err error) error {
	if err == nil {
		return nil
	}
	return printed{err}
}

func alreadyPrinted(err error) bool {
	var p printed
	return errors.As(err, &p)
}

// result prints a document with --json, a line without.
func (c *command) result(doc any, format string, args ...any) {
	if c.json {
		c.print(doc)
		return
	}
	c.line(format, args...)
}

// document prints a document with --json; without it its lines stand already.
func (c *command) document(doc any) error {
	if c.json {
		c.print(doc)
	}
	return nil
}

// arg returns the one argument a verb needs.
func (c *command) arg(name string) (string, error) {
	if len(c.args) != 1 {
		return "", app.Errorf(app.CodeUsage, "read arguments", "%s takes one argument %s, not %d", c.flags.Name(), name, len(c.args)).With("field", name)
	}
	return c.args[0], nil
}

// wait waits for a job. Ended by a signal, it asks for the job to end and
// waits for that. A job that failed is an error.
func (c *command) wait(ctx context.Context, s app.Service, id app.JobID) (app.Job, error) {
	j, err := s.Wait(ctx, id)
	if err != nil && ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
		if err := s.Cancel(ctx, id); err != nil {
			return j, err
		}
		j, err = s.Wait(ctx, id)
	}
	if err != nil {
		return j, err
	}
	if j.Error != nil {
		return j, j.Error
	}
	return j, nil
}
