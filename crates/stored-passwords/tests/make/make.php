<?php
// Vectors of PHP 8.2 (Debian: php-cli), and of WordPress, Symfony and Nextcloud by their published rules on it.
$passwords = json_decode(file_get_contents(__DIR__ . '/passwords.json'), true);
$cases = array_keys($passwords);
$turn = 0;
$rows = [];
$php = 'PHP ' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '.' . PHP_RELEASE_VERSION;

/** `$hash` is a function of the password, and gives what is stored. */
function add(string $package, string $scheme, string $format, callable $hash, ?string $case = null,
    array $extra = []): void
{
    global $passwords, $cases, $turn, $rows;
    $case ??= $cases[$turn++ % count($cases)];
    $rows[] = ['package' => $package, 'scheme' => $scheme, 'format' => $format, 'case' => $case,
        'password' => $passwords[$case], 'stored' => $hash($passwords[$case])] + ($extra ? ['extra' => $extra] : []);
}

foreach ([4, 6] as $cost) {
    foreach ($cases as $case) {
        add($php, 'php', 'bcrypt', fn ($p) => password_hash($p, PASSWORD_BCRYPT, ['cost' => $cost]), $case);
    }
}
foreach ([PASSWORD_ARGON2I, PASSWORD_ARGON2ID] as $kind) {
    foreach ([[8, 1, 1], [512, 3, 1], [2048, 2, 2]] as [$memory, $time, $threads]) {
        for ($i = 0; $i < 2; $i++) {
            $options = ['memory_cost' => $memory, 'time_cost' => $time, 'threads' => $threads];
            add($php, 'php', $kind, fn ($p) => password_hash($p, $kind, $options));
            add($php, 'laravel', $kind, fn ($p) => password_hash($p, $kind, $options));
            add("$php by Nextcloud's rule", 'nextcloud', $kind,
                fn ($p) => ($kind === PASSWORD_ARGON2I ? '2|' : '3|') . password_hash($p, $kind, $options));
        }
    }
}
for ($i = 0; $i < 6; $i++) {
    add("$php by Nextcloud's rule", 'nextcloud', 'bcrypt',
        fn ($p) => '1|' . password_hash($p, PASSWORD_BCRYPT, ['cost' => 4]));
    add("$php by Nextcloud's rule before 8.1", 'nextcloud', 'bcrypt with passwordsalt',
        fn ($p) => password_hash("{$p}site salt é", PASSWORD_BCRYPT, ['cost' => 4]), null, ['pepper' => 'site salt é']);
    add("$php by Nextcloud's rule before 8.1", 'nextcloud', 'SHA-1', fn ($p) => sha1($p));
    add("$php by the rule of WordPress 6.8", 'wordpress', '$wp$', fn ($p) => '$wp' . password_hash(
        base64_encode(hash_hmac('sha384', trim($p), 'wp-sha384', true)), PASSWORD_BCRYPT, ['cost' => 4 + $i % 2]));
    add("$php by the rule of WordPress 6.8", 'wordpress', 'bcrypt',
        fn ($p) => password_hash(trim($p), PASSWORD_BCRYPT, ['cost' => 4]));
    $rounds = 1000 + 999 * $i;
    foreach ([5, 6] as $kind) {
        $salt = substr('./saltSALT0123.z', 0, 2 + 2 * $i);
        add($php, 'crypt', "crypt \$$kind\$", fn ($p) => crypt($p, "\$$kind\$rounds=$rounds\$$salt\$"));
        add($php, 'crypt', "crypt \$$kind\$", fn ($p) => crypt($p, "\$$kind\$$salt\$"));
    }
    $salt = substr('zyx.W/12', 0, 2 + $i);
    add($php, 'crypt', 'crypt $1$', fn ($p) => crypt($p, "\$1\$$salt\$"));
    add($php, 'crypt', 'crypt $2x$', fn ($p) => crypt($p, '$2x$04$abcdefghijklmnopqrstuu'));
    add($php, 'crypt', 'crypt $2a$', fn ($p) => crypt($p, '$2a$05$' . substr('abcdefghijklmnopqrstuu', 0, 22)));
}
// WordPress before 6.8 trims, too, and its passwords go into phpass.
$phpass = '/usr/share/wordpress/wp-includes/class-phpass.php';
if (is_file($phpass)) {
    require $phpass;
    foreach ([7, 8, 10] as $rounds) {
        $hasher = new PasswordHash($rounds, true);
        foreach ($cases as $case) {
            add("$php with the class of Debian's WordPress 6.1.9", 'wordpress', '$P$',
                fn ($p) => $hasher->HashPassword(trim($p)), $case);
        }
    }
}
add("$php by the rule of WordPress before 2.5", 'wordpress', 'md5', fn ($p) => md5(trim($p)));
// Symfony's MessageDigestPasswordHasher, which a recipe declares.
foreach ([['sha512', 5000], ['sha256', 1], ['sha1', 20]] as $n => [$algorithm, $iterations]) {
    foreach (['salt of Symfony', 'x'] as $salt) {
        $case = $cases[$turn++ % count($cases)];
        $recipe = "$algorithm(previous + password + '{' + salt + '}', $iterations) base64";
        $rows[] = ['package' => "$php by the rule of Symfony 6", 'scheme' => $recipe, 'format' => $recipe,
            'case' => $case, 'password' => $passwords[$case],
            'stored' => symfony($algorithm, $iterations, $passwords[$case], $salt), 'extra' => ['salt' => $salt]];
    }
}

function symfony(string $algorithm, int $iterations, string $password, string $salt): string
{
    $salted = $password . '{' . $salt . '}';
    $digest = hash($algorithm, $salted, true);
    for ($i = 1; $i < $iterations; $i++) {
        $digest = hash($algorithm, $digest . $salted, true);
    }
    return base64_encode($digest);
}

file_put_contents(__DIR__ . '/../vectors/made/php.json',
    json_encode($rows, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES) . "\n");
