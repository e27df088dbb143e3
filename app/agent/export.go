package agent

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// Export implements [app.HistoryService]. The table is written while it is read,
// so that a shop of any size takes no more than a few records' room.
func (a *Agent) Export(ctx context.Context, r app.ExportRequest) (io.ReadCloser, error) {
	s, _, err := a.anySource(ctx, r.Source)
	if err != nil {
		return nil, err
	}
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return nil, err
	}
	x, ok := c.(app.Exporter)
	if !ok || len(x.Exports()) == 0 {
		return nil, app.Errorf(app.CodeSourceKind, "export", "%s has no tables to export", s.Kind)
	}
	if choices := x.Exports(); !slices.Contains(choices, r.What) {
		return nil, app.Errorf(app.CodeUsage, "export", "no table %q", r.What).With("choices", strings.Join(choices, ", "))
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	point, err := a.choose(ctx, v, s, r.Point, time.Time{})
	if err != nil {
		return nil, err
	}
	view, err := v.Open(ctx, point.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	out, in := io.Pipe()
	e := &export{PipeReader: out, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		err := x.Export(ctx, view, r.What, in)
		in.CloseWithError(errors.Join(err, view.Close())) // documented to return nil
	}()
	return e, nil
}

// export is a table while it is read.
type export struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

// Close ends the writing, wherever it is, and waits until the point is let go.
func (e *export) Close() error {
	e.cancel()
	err := e.PipeReader.Close()
	<-e.done
	return err
}
