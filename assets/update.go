package assets

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"kvart/app"
)

// feedFile says where this build's newer versions are told of. It is empty
// unless whoever packs Kvart fills it in: then nobody is asked.
//
//go:embed update.json
var feedFile []byte

// UpdateFeed returns where to look for newer versions unless the owner says
// otherwise.
func UpdateFeed() (app.UpdateSettings, error) {
	var s app.UpdateSettings
	if err := json.Unmarshal(feedFile, &s); err != nil {
		return s, fmt.Errorf("read where updates are: %w", err)
	}
	return s, nil
}
