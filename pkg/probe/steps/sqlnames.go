package steps

import (
	"cmp"
	"regexp"
)

// stateForm is the form of an SQLSTATE. What does not have it is a text of the server's.
var stateForm = regexp.MustCompile(`^[0-9A-Z]{5}$`)

// sqlState is the class of an SQLSTATE: 57P03 cannot_connect_now.
func sqlState(code string) string {
	if !stateForm.MatchString(code) {
		return "an error without SQLSTATE"
	}
	if name := cmp.Or(stateNames()[code], stateClasses()[code[:2]]); name != "" {
		return code + " " + name
	}
	return code
}

// stateNames are the conditions of PostgreSQL that happen in operation, by SQLSTATE
// (appendix A of its documentation). Others have the name of their class.
func stateNames() map[string]string {
	return map[string]string{
		"08000": "connection_exception", "08003": "connection_does_not_exist", "08006": "connection_failure", "08P01": "protocol_violation",
		"22001": "string_data_right_truncation", "22003": "numeric_value_out_of_range", "22P02": "invalid_text_representation",
		"23502": "not_null_violation", "23503": "foreign_key_violation", "23505": "unique_violation", "23514": "check_violation", "23P01": "exclusion_violation",
		"25006": "read_only_sql_transaction", "25P02": "in_failed_sql_transaction", "25P03": "idle_in_transaction_session_timeout",
		"28000": "invalid_authorization_specification", "28P01": "invalid_password", "3D000": "invalid_catalog_name", "3F000": "invalid_schema_name",
		"40001": "serialization_failure", "40003": "statement_completion_unknown", "40P01": "deadlock_detected",
		"42501": "insufficient_privilege", "42601": "syntax_error", "42703": "undefined_column", "42883": "undefined_function", "42P01": "undefined_table", "42P18": "indeterminate_datatype",
		"53000": "insufficient_resources", "53100": "disk_full", "53200": "out_of_memory", "53300": "too_many_connections", "53400": "configuration_limit_exceeded",
		"54000": "program_limit_exceeded", "55006": "object_in_use", "55P03": "lock_not_available",
		"57000": "operator_intervention", "57014": "query_canceled", "57P01": "admin_shutdown", "57P02": "crash_shutdown", "57P03": "cannot_connect_now", "57P04": "database_dropped", "57P05": "idle_session_timeout",
		"58000": "system_error", "58030": "io_error", "58P01": "undefined_file",
		"XX000": "internal_error", "XX001": "data_corrupted", "XX002": "index_corrupted",
	}
}

// stateClasses are the classes of SQLSTATE, by their first two characters.
func stateClasses() map[string]string {
	return map[string]string{
		"08": "connection_exception", "0A": "feature_not_supported", "21": "cardinality_violation", "22": "data_exception",
		"23": "integrity_constraint_violation", "25": "invalid_transaction_state", "28": "invalid_authorization_specification",
		"40": "transaction_rollback", "42": "syntax_error_or_access_rule_violation", "53": "insufficient_resources",
		"54": "program_limit_exceeded", "55": "object_not_in_prerequisite_state", "57": "operator_intervention", "58": "system_error",
		"P0": "plpgsql_error", "XX": "internal_error",
	}
}

// mySQLNames are the errors of MySQL and MariaDB that happen in operation, by number.
func mySQLNames() map[uint16]string {
	return map[uint16]string{
		1021: "ER_DISK_FULL", 1037: "ER_OUTOFMEMORY", 1040: "ER_CON_COUNT_ERROR", 1044: "ER_DBACCESS_DENIED_ERROR", 1045: "ER_ACCESS_DENIED_ERROR",
		1046: "ER_NO_DB_ERROR", 1047: "ER_UNKNOWN_COM_ERROR", 1049: "ER_BAD_DB_ERROR", 1053: "ER_SERVER_SHUTDOWN", 1054: "ER_BAD_FIELD_ERROR", 1062: "ER_DUP_ENTRY",
		1064: "ER_PARSE_ERROR", 1114: "ER_RECORD_FILE_FULL", 1129: "ER_HOST_IS_BLOCKED", 1130: "ER_HOST_NOT_PRIVILEGED", 1135: "ER_CANT_CREATE_THREAD",
		1142: "ER_TABLEACCESS_DENIED_ERROR", 1146: "ER_NO_SUCH_TABLE", 1158: "ER_NET_READ_ERROR", 1159: "ER_NET_READ_INTERRUPTED", 1160: "ER_NET_ERROR_ON_WRITE",
		1203: "ER_TOO_MANY_USER_CONNECTIONS", 1205: "ER_LOCK_WAIT_TIMEOUT", 1213: "ER_LOCK_DEADLOCK", 1226: "ER_USER_LIMIT_REACHED",
		1290: "ER_OPTION_PREVENTS_STATEMENT", 1317: "ER_QUERY_INTERRUPTED", 1366: "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD", 1406: "ER_DATA_TOO_LONG",
		1451: "ER_ROW_IS_REFERENCED_2", 1452: "ER_NO_REFERENCED_ROW_2", 1792: "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION", 1836: "ER_READ_ONLY_MODE",
		1927: "ER_CONNECTION_KILLED", 3024: "ER_QUERY_TIMEOUT", 3101: "ER_TRANSACTION_ROLLBACK_DURING_COMMIT",
	}
}
