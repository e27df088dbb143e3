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
	"kvart/connectors/shopify"
	"kvart/connectors/sqlite"
	"kvart/connectors/sqlserver"
	"kvart/connectors/vendure"
	"kvart/connectors/webhotel"
	"kvart/connectors/woocommerce"
)

// Options are what connectors need beside a log.
type Options struct {
	// Cache is a folder for copies of hosted shops, which can be fetched again;
	// "" means one among the system's own caches.
	Cache string
}

// Registry returns a registry of all connectors. One process should have one:
// its connectors share the care for the database locks the process holds.
func Registry(log *slog.Logger, o Options) *connectors.Registry {
	files := &rawfile.Keeper{}
	return connectors.NewRegistry(
		sqlite.New(log, files),
		folder.New(log, files),
		mysql.New(log),
		postgres.New(log),
		sqlserver.New(log),
		webhotel.New(log, mysql.New(log)),
		woocommerce.New(log, o.Cache),
		shopify.New(log, o.Cache),
		vendure.New(log, o.Cache),
	)
}
