<?php
// Writes database.sqlite, and what it holds to standard output.
require '/usr/share/php/Illuminate/Database/autoload.php';
require '/usr/share/php/Illuminate/Hashing/autoload.php';

use Illuminate\Database\Capsule\Manager;
use Illuminate\Hashing\Argon2IdHasher;
use Illuminate\Hashing\BcryptHasher;

touch('database.sqlite');
$capsule = new Manager();
$capsule->addConnection(['driver' => 'sqlite', 'database' => getcwd() . '/database.sqlite']);
$capsule->getConnection()->getSchemaBuilder()->create('users', function ($table) {
    $table->bigIncrements('id');
    $table->string('name');
    $table->string('email')->unique();
    $table->timestamp('email_verified_at')->nullable();
    $table->string('password');
    // Of Fortify, whose secrets only the key of the application opens.
    $table->text('two_factor_secret')->nullable();
    $table->text('two_factor_recovery_codes')->nullable();
    $table->timestamp('two_factor_confirmed_at')->nullable();
    $table->rememberToken();
    $table->timestamps();
});

$bcrypt = new BcryptHasher(['rounds' => 5]);
$argon2id = new Argon2IdHasher(['memory' => 1024, 'time' => 2, 'threads' => 1]);
$people = [];
foreach (json_decode(file_get_contents($argv[1])) as $person) {
    $created = (new DateTime($person->created))->format('Y-m-d H:i:s');
    // Teams store a random password for whoever came from a provider, since the column must not be null.
    $password = $person->password ?? (object) ['right' => bin2hex(random_bytes(16)), 'wrong' => 'guessed'];
    $hasher = $person->key === 'bob' ? $argon2id : $bcrypt;
    $id = $capsule->getConnection()->table('users')->insertGetId([
        'name' => $person->name ?? '',
        'email' => $person->email,
        'email_verified_at' => $person->verified ? $created : null,
        'password' => $hasher->make($password->right),
        'created_at' => $created,
        'updated_at' => $created,
    ]);
    // Its table has no word for people who were disabled.
    $people[] = ['key' => $person->key, 'external_id' => (string) $id, 'disabled' => false, 'password' => $password];
}
echo json_encode(['inputs' => [['file' => 'database.sqlite'], ['file' => 'users.csv']], 'people' => $people]);
