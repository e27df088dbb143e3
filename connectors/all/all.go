// Package all builds the registry of every kind of source this build of Kvart
// can read. It is the only place that knows them all.
package all

import (
	"log/slog"

	"kvart/connectors"
	"kvart/connectors/folder"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/mysql"
	"kvart/connectors/postgres"
	"kvart/connectors/sqlite"
)

// Registry returns a registry of all connectors. One process should have one:
// its connectors share the care for the database locks the process holds.
func Registry(log *slog.Logger) *connectors.Registry {
	files := &rawfile.Keeper{}
	return connectors.NewRegistry(
		sqlite.New(log, files),
		folder.New(log, files),
		mysql.New(log),
		postgres.New(log),
	)
}
