<?php
// Installs WordPress, makes its people, and writes what it holds to held.json and held-acme.json.
[, $home, $socket, $cast] = $argv;
define('ABSPATH', "$home/");
define('WP_INSTALLING', true);
define('DB_HOST', "localhost:$socket");
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_DEBUG', false);
$table_prefix = 'wp_';
$_SERVER += ['HTTP_HOST' => '127.0.0.1', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'PHP_SELF' => '/index.php'];
ob_start();
require ABSPATH . 'wp-settings.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
// No letter goes out.
add_filter('pre_wp_mail', '__return_true');
$people = json_decode(file_get_contents($cast));
$admin = $people[0];
wp_install('Acme', 'ada', $admin->email, false, '', wp_slash($admin->password->right));

$roles = ['admin' => 'administrator', 'manager' => 'editor', 'employee' => 'subscriber'];
$held = [];
foreach ($people as $person) {
    // Its comparison of addresses ignores case, so the second Ada cannot exist here.
    if ($person->key === 'ada-again') continue;
    $role = $roles[current((array) $person->organizations) ?: 'employee'] ?? 'subscriber';
    $password = $person->password ?? (object) ['right' => 'drawn-by-a-plugin-' . $person->key, 'wrong' => 'guessed'];
    $existing = get_user_by('email', $person->email);
    $id = wp_insert_user(wp_slash([
        'ID' => $existing ? $existing->ID : null,
        'user_login' => $person->key,
        'user_email' => $person->email,
        'user_pass' => $password->right,
        'first_name' => (string) $person->first,
        'last_name' => (string) $person->last,
        'display_name' => $person->name ?? $person->key,
        'user_registered' => str_replace(['T', 'Z'], [' ', ''], $person->created),
        'role' => $role,
    ]));
    global $wpdb;
    if ($existing) {
        // An update of somebody takes the hash as it is given.
        $wpdb->update($wpdb->users, ['user_pass' => wp_hash_password($password->right)], ['ID' => $id]);
    }
    if ($person->key === 'bob') {
        $digest = base64_encode(hash_hmac('sha384', trim($password->right), 'wp-sha384', true));
        $hash = '$wp' . password_hash($digest, PASSWORD_BCRYPT, ['cost' => 5]);
        $wpdb->update($wpdb->users, ['user_pass' => $hash], ['ID' => $id]);
    }
    if ($person->key === 'emmy') {
        // What old imports and some plugins leave.
        $wpdb->query("SET sql_mode = ''");
        $wpdb->query("UPDATE $wpdb->users SET user_registered = '0000-00-00 00:00:00' WHERE ID = $id");
    }
    // An address is verified nowhere, and nobody can be disabled.
    $held[] = [
        'key' => $person->key,
        'external_id' => (string) $id,
        'verified' => false,
        'disabled' => false,
        'created' => $person->key === 'emmy' ? null : $person->created,
        'password' => $password,
    ];
}
ob_end_clean();
$inputs = [
    ['file' => 'wp_users.csv', 'with' => ['meta' => 'wp_usermeta.csv']],
    ['file' => 'people.ndjson'],
];
file_put_contents('held.json', json_encode(['inputs' => $inputs, 'people' => $held]));
// With a mapping that makes the site an organization.
$ours = ['administrator' => 'admin', 'editor' => 'manager', 'subscriber' => 'employee'];
foreach ($held as &$person) {
    $role = $ours[get_userdata((int) $person['external_id'])->roles[0]];
    $person['memberships'] = [['organization' => 'acme', 'role' => $role]];
}
$inputs = [['file' => 'wp_users.csv', 'with' => ['meta' => 'wp_usermeta.csv']]];
$options = ['--map', 'acme.toml'];
file_put_contents('held-acme.json', json_encode(['inputs' => $inputs, 'options' => $options, 'people' => $held]));
