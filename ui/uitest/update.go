package uitest

import (
	"context"

	"kvart/app"
)

// Updating answers about newer versions. The zero value looks for none.
type Updating struct {
	Update    app.UpdateStatus
	FeedFunc  func(app.UpdateSettings) (app.UpdateStatus, error)
	LookFunc  func() (app.UpdateStatus, error)
	FetchFunc func() (app.JobID, error)
}

// Updates implements [app.UpdateService].
func (u *Updating) Updates(context.Context) (app.UpdateStatus, error) { return u.Update, nil }

// SetUpdates implements [app.UpdateService].
func (u *Updating) SetUpdates(_ context.Context, s app.UpdateSettings) (app.UpdateStatus, error) {
	if u.FeedFunc != nil {
		return u.FeedFunc(s)
	}
	u.Update.Settings = s
	return u.Update, nil
}

// CheckUpdate implements [app.UpdateService].
func (u *Updating) CheckUpdate(context.Context) (app.UpdateStatus, error) {
	if u.LookFunc != nil {
		return u.LookFunc()
	}
	return u.Update, nil
}

// StartUpdate implements [app.UpdateService].
func (u *Updating) StartUpdate(context.Context) (app.JobID, error) {
	if u.FetchFunc != nil {
		return u.FetchFunc()
	}
	return "update-1", nil
}
