package uitest

import (
	"time"

	"kvart/app"
)

// DatabaseForms returns [Forms] with a database server among the sources, as
// the guard has it.
func DatabaseForms() app.Forms {
	f := Forms()
	f.Sources = append(f.Sources, MySQL())
	return f
}

// MySQL returns a kind of database on a server, with users and a tunnel.
func MySQL() app.KindSpec {
	return app.KindSpec{
		Kind: "mysql", Order: 1, Database: true, Users: true, Fields: []app.Field{
			{Key: "host", Type: app.FieldText, Default: "127.0.0.1"},
			{Key: "port", Type: app.FieldNumber, Default: "3306"},
			{Key: "database", Type: app.FieldText, Required: true},
			{Key: "user", Type: app.FieldText, Required: true},
			{Key: "password", Type: app.FieldSecret},
			{Key: "socket", Type: app.FieldText, Advanced: true},
			{Key: "tls", Type: app.FieldChoice, Default: "prefer", Choices: []string{"prefer", "require", "verify", "off"}, Advanced: true},
			{Key: "ca_file", Type: app.FieldFile, Advanced: true},
			{Key: "lock_myisam", Type: app.FieldSwitch, Advanced: true},
			{Key: "ssh_host", Type: app.FieldText, Advanced: true},
			{Key: "ssh_port", Type: app.FieldNumber, Default: "22", Advanced: true},
			{Key: "ssh_user", Type: app.FieldText, Advanced: true},
			{Key: "ssh_key", Type: app.FieldSecret, Multiline: true, Advanced: true},
			{Key: "ssh_password", Type: app.FieldSecret, Advanced: true},
			{Key: "ssh_host_key", Type: app.FieldText, Advanced: true},
		},
	}
}

// FoundDatabase returns a database server of which only the way to it is known.
func FoundDatabase() app.Found {
	return app.Found{Kind: "mysql", Name: "MariaDB", Settings: map[string]string{"host": "127.0.0.1", "port": "3306"}, Likely: true}
}

// WithDatabase returns a safe shop that also has a database on a server.
func WithDatabase() app.Status {
	s := Safe()
	db := source("Webbutiken", "mysql", "", 96_000_000, 38)
	db.Source.Settings = map[string]string{"host": "127.0.0.1", "port": "3306", "database": "butik", "user": "root", "tls": "prefer", "ssh_port": "22"}
	s.Sources = append([]app.SourceStatus{db}, s.Sources...)
	return s
}

// LessRights are the rights of a user made for backups.
func LessRights() app.Rights { return app.Rights{User: "kvart_backup@localhost"} }

// CheckedDatabase is what a check of a database server finds.
func CheckedDatabase() app.SourceInfo {
	return app.SourceInfo{Bytes: 96_000_000, Files: 38, Changed: Now().Add(-time.Minute), Details: map[string]string{
		"server": "MariaDB 10.11.6", "tables": "38", "encrypted": "false", "idle": "true", "not_transactional": "wp_old_log, wp_search",
	}}
}

// RestoredBeside returns the record of a restore to a new database.
func RestoredBeside() *app.RestoreRecord {
	return &app.RestoreRecord{
		ID: "r2", State: app.RestoreDone, Started: Now().Add(-time.Minute), Ended: Now(), Target: app.Target{Database: "butik_kvart_2026_11_19"},
		Sources: []app.RestoredPart{{
			ID: "webbutiken", Source: "Webbutiken", Point: "Webbutiken-9", Time: Now().Add(-4 * time.Minute),
			Database: "butik_kvart_2026_11_19", Where: "butik_kvart_2026_11_19 (127.0.0.1:3306)", Done: true,
		}},
		Checks: []app.Check{{Source: "Webbutiken", Code: "rows", OK: true, Detail: "38 tables, 41 200 rows", Counted: app.Counted{Tables: 38, Rows: 41200}}},
	}
}

// WebHotel returns the kind of a web site: files and a database, without users
// that Kvart could make.
func WebHotel() app.KindSpec {
	return app.KindSpec{
		Kind: "webhotel", Order: 1, Database: true, Fields: []app.Field{
			{Key: "protocol", Type: app.FieldChoice, Default: "sftp", Choices: []string{"sftp", "ftps", "ftp"}},
			{Key: "host", Type: app.FieldText, Required: true},
			{Key: "user", Type: app.FieldText, Required: true},
			{Key: "password", Type: app.FieldSecret},
			{Key: "path", Type: app.FieldText, Required: true},
			{Key: "exclude", Type: app.FieldLines, Default: "/wp-content/cache/\n/wp-content/upgrade/\n/var/cache/\n.cache/", Advanced: true},
			{Key: "db", Type: app.FieldChoice, Default: "manual", Choices: []string{"manual", "auto"}},
			{Key: "db_name", Type: app.FieldText},
			{Key: "db_user", Type: app.FieldText},
			{Key: "db_password", Type: app.FieldSecret},
			{Key: "db_host", Type: app.FieldText, Advanced: true},
			{Key: "db_port", Type: app.FieldNumber, Advanced: true},
			{Key: "db_reach", Type: app.FieldChoice, Default: "tunnel", Choices: []string{"tunnel", "direct"}, Advanced: true},
			{Key: "port", Type: app.FieldNumber, Advanced: true},
			{Key: "key", Type: app.FieldSecret, Multiline: true, Advanced: true},
			{Key: "key_passphrase", Type: app.FieldSecret, Advanced: true},
			{Key: "host_key", Type: app.FieldText, Advanced: true},
			{Key: "tls", Type: app.FieldChoice, Default: "explicit", Choices: []string{"explicit", "implicit"}, Advanced: true},
			{Key: "ca_file", Type: app.FieldFile, Advanced: true},
			{Key: "certificate", Type: app.FieldText, Advanced: true},
			{Key: "allow_plain", Type: app.FieldSwitch, Advanced: true},
			{Key: "ssh_host", Type: app.FieldText, Advanced: true},
			{Key: "ssh_port", Type: app.FieldNumber, Default: "22", Advanced: true},
			{Key: "ssh_user", Type: app.FieldText, Advanced: true},
			{Key: "ssh_key", Type: app.FieldSecret, Multiline: true, Advanced: true},
			{Key: "ssh_password", Type: app.FieldSecret, Advanced: true},
			{Key: "ssh_host_key", Type: app.FieldText, Advanced: true},
		},
	}
}

// SQLServer returns the kind of Microsoft's databases.
func SQLServer() app.KindSpec {
	return app.KindSpec{
		Kind: "sqlserver", Order: 1, Database: true, Users: true, Fields: []app.Field{
			{Key: "host", Type: app.FieldText, Default: "127.0.0.1"},
			{Key: "instance", Type: app.FieldText},
			{Key: "database", Type: app.FieldText, Required: true},
			{Key: "user", Type: app.FieldText},
			{Key: "password", Type: app.FieldSecret},
			{Key: "trusted", Type: app.FieldSwitch},
			{Key: "folder", Type: app.FieldFolder, Required: true},
			{Key: "server_folder", Type: app.FieldText, Advanced: true},
			{Key: "port", Type: app.FieldNumber, Advanced: true},
			{Key: "tls", Type: app.FieldChoice, Default: "prefer", Choices: []string{"prefer", "require", "verify", "off"}, Advanced: true},
			{Key: "ca_file", Type: app.FieldFile, Advanced: true},
		},
	}
}
