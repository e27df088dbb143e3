package screen

import (
	"context"

	"kvart/app"
)

// ChangeWatch changes what the owner has watched, as it stands now: another
// page, or a command, may have changed it meanwhile. Secrets are as in
// [app.WatchRequest].
func ChangeWatch(ctx context.Context, s app.WatchService, secrets app.Secrets, change func(*app.WatchSettings)) (app.WatchSettings, error) {
	set, err := s.WatchSettings(ctx)
	if err != nil {
		return set, err
	}
	change(&set)
	return s.SetWatch(ctx, app.WatchRequest{Settings: set, Secrets: secrets})
}
