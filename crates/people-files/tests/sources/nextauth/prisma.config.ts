export default { schema: 'prisma/schema.prisma', datasource: { url: 'file:./app.sqlite' } }
