package agent

import (
	"context"
	"encoding/json"
	"fmt"

	"kvart/app"
	"kvart/app/agent/journal"
)

// SetupDraft implements [app.SetupService]. One that can't be read is none:
// nothing hangs on it but some typing.
func (a *Agent) SetupDraft(ctx context.Context) (app.SetupDraft, error) {
	doc, err := a.Journal.Meta(ctx, journal.KeySetup)
	if err != nil || doc == "" {
		return app.SetupDraft{}, err
	}
	var d app.SetupDraft
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		a.Log.WarnContext(ctx, "Draft of the setup not read", "error", err)
		return app.SetupDraft{}, nil
	}
	forms, err := a.Forms(ctx)
	if err != nil {
		return app.SetupDraft{}, err
	}
	return d.Without(forms), nil // a field may have become a secret since
}

// SetSetupDraft implements [app.SetupService].
func (a *Agent) SetSetupDraft(ctx context.Context, d app.SetupDraft) error {
	if d.Empty() {
		return a.Journal.SetMeta(ctx, journal.KeySetup, "")
	}
	forms, err := a.Forms(ctx)
	if err != nil {
		return err
	}
	d = d.Without(forms)
	d.At = a.Now()
	doc, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode draft of the setup: %w", err)
	}
	if len(doc) > app.MostDraft {
		return app.Errorf(app.CodeUsage, "keep draft of the setup", "%d bytes are too many", len(doc)).With("field", "draft")
	}
	return a.Journal.SetMeta(ctx, journal.KeySetup, string(doc))
}
