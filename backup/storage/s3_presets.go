package storage

import (
	"regexp"
	"strings"

	"kvart/app"
)

// anyRegion is what servers without regions go by.
const anyRegion = "us-east-1"

// s3Presets are the providers Kvart knows, those a Swedish shop is likeliest to
// meet among their regions first. Besides "{region}" an endpoint may hold
// "{account}".
//
// R2 locks by rules of the bucket's own and refuses S3's object lock; Elastx
// runs Swift, which has none.
func s3Presets() []app.Preset {
	at := func(endpoint string) map[string]string { return map[string]string{"endpoint": endpoint} }
	return []app.Preset{
		{
			Key: "aws", Settings: at("s3.{region}.amazonaws.com"), CanLock: true,
			Regions: []string{"eu-north-1", "eu-west-1", "eu-central-1", "eu-west-3", "eu-west-2", "eu-south-1", "eu-central-2", "eu-south-2", "us-east-1"},
		},
		{
			Key: "b2", Settings: at("s3.{region}.backblazeb2.com"), CanLock: true,
			Regions: []string{"eu-central-003", "us-west-004", "us-east-005", "us-west-002", "us-west-001", "us-west-000", "ca-east-006"},
		},
		{
			Key: "wasabi", Settings: at("s3.{region}.wasabisys.com"), CanLock: true,
			Regions: []string{"eu-central-1", "eu-central-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-south-1", "us-east-1"},
		},
		{Key: "r2", Settings: map[string]string{"endpoint": "{account}.r2.cloudflarestorage.com", "region": "auto"}},
		{
			Key: "hetzner", Settings: at("{region}.your-objectstorage.com"), CanLock: true,
			Regions: []string{"hel1", "fsn1", "nbg1"},
		},
		{
			Key: "scaleway", Settings: at("s3.{region}.scw.cloud"), CanLock: true,
			Regions: []string{"nl-ams", "fr-par", "pl-waw", "it-mil"},
		},
		{Key: "elastx", Settings: map[string]string{"endpoint": "swift.elastx.cloud", "region": anyRegion}},
		{Key: "minio", Settings: map[string]string{"region": anyRegion}, CanLock: true},
		// Of others nothing is known but by asking the bucket.
		{Key: "other", Settings: map[string]string{"region": anyRegion}, CanLock: true},
	}
}

func presetKeys() []string {
	var keys []string
	for _, p := range s3Presets() {
		keys = append(keys, p.Key)
	}
	return keys
}

// completed returns the settings with what the preset adds where the owner gave
// nothing. The result always has an endpoint, with nothing left to fill in, and
// a region: without one every request would cost another, to ask for it.
func completed(settings map[string]string) (map[string]string, error) {
	full := map[string]string{}
	for key, value := range settings {
		if value = strings.TrimSpace(value); value != "" {
			full[key] = value
		}
	}
	if full["region"] == "" && full["endpoint"] != "" {
		full["region"] = regionIn(full["endpoint"])
	}
	for _, p := range s3Presets() {
		if p.Key != full["preset"] {
			continue
		}
		for key, value := range p.Settings {
			if full[key] == "" {
				full[key] = value
			}
		}
		if full["region"] == "" && len(p.Regions) > 0 {
			full["region"] = p.Regions[0]
		}
	}
	if full["region"] == "" {
		full["region"] = anyRegion
	}
	var missing string
	full["endpoint"] = gap.ReplaceAllStringFunc(full["endpoint"], func(g string) string {
		key := strings.Trim(g, "{}")
		if full[key] == "" {
			missing = key
		}
		return full[key]
	})
	if full["endpoint"] == "" && missing == "" {
		missing = "endpoint"
	}
	if missing != "" {
		return nil, app.Errorf(app.CodeUsage, "check settings", "s3 needs %q", missing).With("field", missing)
	}
	return full, nil
}

// gap matches what an endpoint leaves to other fields.
var gap = regexp.MustCompile(`\{\w+\}`)

// regionIn returns the region a well-known provider's endpoint names, empty
// when it names none.
func regionIn(endpoint string) string {
	for _, p := range s3Presets() {
		before, after, ok := strings.Cut(p.Settings["endpoint"], "{region}")
		host := hostOf(endpoint)
		if region := strings.TrimSuffix(strings.TrimPrefix(host, before), after); ok && host == before+region+after && !strings.Contains(region, ".") {
			return region
		}
	}
	return ""
}

// s3Spec describes the kind. The endpoint is required where no preset gives
// one, the account where the endpoint leaves room for it; [completed] sees to
// both.
func s3Spec() app.KindSpec {
	return app.KindSpec{
		Kind: "s3", OffSite: true, CanLock: true, Presets: s3Presets(),
		Fields: []app.Field{
			{Key: "preset", Type: app.FieldChoice, Choices: presetKeys()},
			{Key: "endpoint", Type: app.FieldText},
			{Key: "account", Type: app.FieldText, Advanced: true},
			{Key: "bucket", Type: app.FieldText, Required: true},
			{Key: "region", Type: app.FieldText},
			{Key: "prefix", Type: app.FieldText, Advanced: true},
			{Key: "access_key", Type: app.FieldText, Required: true},
			{Key: "secret_key", Type: app.FieldSecret, Required: true},
			{Key: "lock_mode", Type: app.FieldChoice, Default: lockModeNone, Choices: []string{lockModeNone, string(app.LockGovernance), string(app.LockCompliance)}},
			{Key: "lock_days", Type: app.FieldNumber, Default: defaultLockDays},
			{Key: "ca_file", Type: app.FieldFile, Advanced: true},
			{Key: "insecure", Type: app.FieldSwitch, Default: "false", Advanced: true},
		},
	}
}

// How settings write a lock.
const (
	lockModeNone    = "none"
	defaultLockDays = "30"
)
